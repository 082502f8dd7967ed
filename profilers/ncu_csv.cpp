#include "profilers/ncu_csv.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace ridge {
namespace {

// The fields of a line: all in quotes, and a quote in one is doubled.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else if (line[i] != '\r') {
      fields.back() += line[i];
    }
  }
  return fields;
}

// "1,234,567.89": commas stand before groups of three digits and nowhere else, so that a locale
// with decimal commas is not read as a number a hundred times as large.
std::optional<double> number(const std::string& text) {
  std::string digits;
  std::size_t since_comma = 0;
  bool comma = false, fraction = false;
  for (char c : text) {
    if (c == ',') {
      if (fraction || digits.empty() || (comma && since_comma != 3)) return std::nullopt;
      comma = true;
      since_comma = 0;
      continue;
    }
    if (!fraction && comma && (c < '0' || c > '9') && since_comma != 3) return std::nullopt;
    fraction = fraction || c < '0' || c > '9';
    if (!fraction) ++since_comma;
    digits += c;
  }
  if (comma && !fraction && since_comma != 3) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::size_t> column(const std::vector<std::string>& header, const char* name) {
  const auto it = std::find(header.begin(), header.end(), name);
  if (it == header.end()) return std::nullopt;
  return static_cast<std::size_t>(it - header.begin());
}

std::optional<double> metric(const KernelCounters& kernel, const std::string& name) {
  const auto it = kernel.metrics.find(name);
  if (it == kernel.metrics.end()) return std::nullopt;
  return it->second;
}

// What follows `prefix` on the first line that begins with it.
std::string after(const std::string& text, const std::string& prefix) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(prefix, 0) == 0) return line.substr(prefix.size());
  return "";
}

}  // namespace

std::vector<KernelCounters> parse_ncu_csv(const std::string& text) {
  std::vector<KernelCounters> kernels;
  std::vector<std::string> header;
  std::size_t id = 0, kernel = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind('"', 0) != 0) continue;
    const std::vector<std::string> fields = split(line);
    const auto id_column = column(fields, "ID"), kernel_column = column(fields, "Kernel Name");
    if (id_column && kernel_column) {
      header = fields;
      id = *id_column;
      kernel = *kernel_column;
      continue;
    }
    // The line of units has no ID.
    if (header.empty() || fields.size() != header.size() || fields[id].empty()) continue;
    KernelCounters& one = kernels.emplace_back();
    one.kernel = fields[kernel];
    for (std::size_t i = kernel + 1; i < fields.size(); ++i)
      if (const auto value = number(fields[i])) one.metrics[header[i]] = *value;
  }
  return kernels;
}

std::optional<double> mean_over_time(const std::vector<KernelCounters>& kernels,
                                     const std::vector<std::string>& metrics) {
  if (kernels.empty()) return std::nullopt;
  for (const std::string& name : metrics) {
    if (!std::all_of(kernels.begin(), kernels.end(),
                     [&](const KernelCounters& k) { return metric(k, name).has_value(); }))
      continue;
    if (kernels.size() == 1) return metric(kernels.front(), name);
    double sum = 0, duration = 0;
    for (const KernelCounters& k : kernels) {
      const auto took = metric(k, kNcuDuration);
      if (!took) return std::nullopt;
      sum += *took * *metric(k, name);
      duration += *took;
    }
    if (!(duration > 0)) return std::nullopt;
    return sum / duration;
  }
  return std::nullopt;
}

NcuError ncu_error(const std::string& everything_written) {
  // The text of the driver's refusal: https://developer.nvidia.com/ERR_NVGPUCTRPERM
  if (everything_written.find("ERR_NVGPUCTRPERM") != std::string::npos)
    return {
        "the driver reserves counters to root: run as root, or load the nvidia module with "
        "NVreg_RestrictProfilingToAdminUsers=0 (a container also needs the capability SYS_ADMIN)",
        true};
  // The program's own error says more than ncu's, that it ended with a code.
  if (const std::string error = after(everything_written, "error: "); !error.empty())
    return {"the call fails under ncu: " + error, false};
  if (const std::string error = after(everything_written, "==ERROR== "); !error.empty())
    return {"ncu: " + error, false};
  return {"ncu profiled no kernel", false};
}

}  // namespace ridge
