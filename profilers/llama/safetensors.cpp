#include "profilers/llama/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "predictor/models/nearest_names.h"
#include "profilers/llama/safetensors_header.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

constexpr const char *kSingle = "model.safetensors", *kIndex = "model.safetensors.index.json";

struct Mapping {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

[[noreturn]] void fail_to_read(const fs::path& path) {
  throw BadInput(path.string() + ": cannot be read: " + std::strerror(errno));
}

Mapping map_file(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail_to_read(path);
  struct stat status = {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    throw BadInput(path.string() + ": is not a file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) {  // which cannot be mapped
    ::close(file);
    return {};
  }
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int reason = errno;
  ::close(file);
  errno = reason;
  if (address == MAP_FAILED) fail_to_read(path);
  return {{address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); }},
          {static_cast<const std::byte*>(address), size}};
}

using WeightMap = std::map<std::string, std::string>;  // tensor -> shard

// The index of a model's shards: {"weight_map": {tensor: file}, …}.
WeightMap read_index(const fs::path& path) {
  const nlohmann::json index = read_json(path);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object() || map->empty())
    throw BadInput(path.string() + ": has no weight_map, where an index lists tensors and files");
  WeightMap shards;
  for (const auto& [tensor, shard] : map->items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    // A file beside the index, and nothing else of this machine.
    if (name.empty() || fs::path(name).filename() != name || name == "..")
      throw BadInput(fmt::format("{}: the file of tensor '{}' must be a name in its folder",
                                 path.string(), tensor));
    shards.emplace(tensor, name);
  }
  return shards;
}

// Of a folder without the names that Transformers writes: its only file.
fs::path only_file(const fs::path& folder) {
  std::vector<fs::path> found;
  bool pickles = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".safetensors") found.push_back(entry.path());
    pickles |= extension == ".bin" || extension == ".pt" || extension == ".pth";
  }
  if (found.size() == 1) return found.front();
  if (!found.empty())
    throw BadInput(
        fmt::format("{}: has {} .safetensors files, but neither {} nor {}; give one of "
                    "them, or add the index",
                    folder.string(), found.size(), kSingle, kIndex));
  throw BadInput(folder.string() + ": has no .safetensors file" +
                 (pickles ? "; PyTorch's own files are not read: save the model with "
                            "save_pretrained(…, safe_serialization=True)"
                          : ""));
}

fs::path file_of(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return path;
  if (fs::exists(path / kSingle, unknown)) return path / kSingle;
  if (fs::exists(path / kIndex, unknown)) return path / kIndex;
  return only_file(path);
}

bool by_name(const TensorView& a, const TensorView& b) { return a.name < b.name; }

}  // namespace

int64_t TensorView::elements() const { return element_count(shape).value_or(0); }

std::string TensorView::where() const {
  return (file.empty() ? "" : file + ": ") + "tensor '" + name + "'";
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Safetensors Safetensors::open(const fs::path& path) {
  Safetensors all;
  all.path_ = path;
  const fs::path file = file_of(path);
  const bool indexed = file.extension() == ".json";
  const WeightMap listed = indexed ? read_index(file) : WeightMap{};
  std::vector<fs::path> shards;
  for (const auto& [tensor, shard] : listed) shards.push_back(file.parent_path() / shard);
  if (!indexed) shards.push_back(file);
  std::sort(shards.begin(), shards.end());
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());

  for (const fs::path& shard : shards) {
    std::error_code unknown;
    if (indexed && !fs::exists(shard, unknown))
      throw BadInput(fmt::format("{}: lists {}, which is not there; fetch it, too", file.string(),
                                 shard.filename().string()));
    const Mapping mapping = map_file(shard);
    SafetensorsHeader header = read_safetensors_header(mapping.bytes, shard.string());
    all.mappings_.push_back(mapping.owner);
    for (auto& [key, value] : header.metadata) all.metadata_[key] = value;
    std::move(header.tensors.begin(), header.tensors.end(), std::back_inserter(all.tensors_));
  }
  std::sort(all.tensors_.begin(), all.tensors_.end(), by_name);
  const auto twice =
      std::adjacent_find(all.tensors_.begin(), all.tensors_.end(),
                         [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != all.tensors_.end())
    throw BadInput(fmt::format("{}: is also in {}", twice->where(), std::next(twice)->file));
  for (const auto& [tensor, shard] : listed) {
    const TensorView* found = all.find(tensor);
    if (!found || fs::path(found->file).filename() != shard)
      throw BadInput(fmt::format("{}: lists tensor '{}' in {}, which does not have it",
                                 file.string(), tensor, shard));
  }
  return all;
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const TensorView& t, std::string_view n) { return t.name < n; });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

const TensorView& Safetensors::at(std::string_view name) const {
  if (const TensorView* found = find(name)) return *found;
  const std::vector<std::string> nearest = nearest_names(name, names(), 1);
  throw BadInput(fmt::format("{}: has no tensor '{}'{}", path_.string(), name,
                             nearest.empty() ? "" : "; nearest is '" + nearest.front() + "'"));
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> all;
  for (const TensorView& t : tensors_) all.push_back(t.name);
  return all;
}

std::uintmax_t Safetensors::bytes() const {
  std::uintmax_t sum = 0;
  for (const TensorView& t : tensors_) sum += t.bytes.size();
  return sum;
}

}  // namespace ridge
