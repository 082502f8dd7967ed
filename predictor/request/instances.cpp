#include "predictor/request/instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/models/nearest_names.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

constexpr std::size_t kSuggested = 4;

std::vector<Instance> read(const std::filesystem::path& file) {
  const nlohmann::json all = read_json(file);
  std::vector<Instance> list;
  try {
    for (const nlohmann::json& j : all.at("instances")) {
      Instance i{.name = j.at("name"),
                 .gpu = j.at("gpu"),
                 .gpus = j.at("gpus"),
                 .host_memory_bytes = j.at("host_memory_bytes")};
      if (i.gpus < 1 || !find_device(i.gpu))
        throw BadInput(file.string() + ": instance '" + i.name + "': gpu or gpus is wrong");
      list.push_back(std::move(i));
    }
  } catch (const nlohmann::json::exception& e) {
    throw BadInput(file.string() + ": not a list of instances: " + e.what());
  }
  return list;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class PriceReader {
 public:
  PriceReader(const Csv& csv, const std::string& where) : csv_(csv), where_(where) {
    usd_ = column("usd_per_hour");
    instance_ = column("instance");
    gpu_ = column("gpu");
    if (!usd_ || (!instance_ && !gpu_))
      throw BadInput(where + ": line 1: column '" + (usd_ ? "instance' or 'gpu" : "usd_per_hour") +
                     "' is missing; a price list has instance,usd_per_hour or gpu,usd_per_hour");
  }

  Prices read() {
    Prices prices;
    for (row_ = 0; row_ < csv_.rows.size(); ++row_) {
      const std::string instance = cell(instance_), gpu = cell(gpu_);
      if (instance.empty() == gpu.empty()) fail("needs an instance or a gpu, and not both");
      auto& list = gpu.empty() ? prices.instance_usd_per_hour : prices.gpu_usd_per_hour;
      const std::string known = gpu.empty() ? instance_name(instance) : gpu_name(gpu);
      if (!list.emplace(known, price()).second) fail("a second price of '" + known + "'");
    }
    return prices;
  }

 private:
  std::optional<std::size_t> column(const std::string& name) const {
    const auto at = std::find(csv_.header.begin(), csv_.header.end(), name);
    if (at == csv_.header.end()) return {};
    return static_cast<std::size_t>(at - csv_.header.begin());
  }

  std::string cell(std::optional<std::size_t> column) const {
    return column ? trimmed(csv_.rows[row_][*column]) : "";
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw BadInput(fmt::format("{}: line {}: {}", where_, csv_.lines[row_], what));
  }

  double price() const {
    const std::string text = cell(usd_);
    double usd = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), usd);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(usd) || usd <= 0)
      fail("usd_per_hour is '" + text + "'; must be a number above 0");
    return usd;
  }

  std::string instance_name(const std::string& asked) const {
    if (const auto found = find_instance(asked)) return found->name;
    std::vector<std::string> names;
    for (const Instance& i : instances()) names.push_back(i.name);
    fail(fmt::format("instance '{}' is not known; the nearest are {}", asked,
                     fmt::join(nearest_names(asked, std::move(names), kSuggested), ", ")));
  }

  std::string gpu_name(const std::string& asked) const {
    if (const auto found = find_device(asked)) return found->name;
    fail("gpu '" + asked + "' is not known; known are " + suggested_devices(asked));
  }

  const Csv& csv_;
  const std::string& where_;
  std::optional<std::size_t> usd_, instance_, gpu_;
  std::size_t row_ = 0;
};

}  // namespace

const std::vector<Instance>& instances() {
  static const std::vector<Instance> all =
      read(data_dir() / "predictor" / "request" / "instances.json");
  return all;
}

std::optional<Instance> find_instance(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (const Instance& i : instances())
    if (std::equal(i.name.begin(), i.name.end(), name.begin(), name.end(), same)) return i;
  return {};
}

std::optional<double> Prices::of(const Instance& instance) const {
  if (const auto own = instance_usd_per_hour.find(instance.name);
      own != instance_usd_per_hour.end())
    return own->second;
  if (const auto gpu = gpu_usd_per_hour.find(instance.gpu); gpu != gpu_usd_per_hour.end())
    return gpu->second * static_cast<double>(instance.gpus);
  return {};
}

Prices prices_from(const Csv& csv, const std::string& where) {
  return PriceReader(csv, where).read();
}

}  // namespace ridge
