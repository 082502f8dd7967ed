#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "profilers/llama/safetensors_header.h"

namespace ridge {
namespace {

int64_t element_bytes(const TensorView& t) {
  const StoredFormat* format = find_format(t.format);
  if (!format)
    throw BadInput(fmt::format("{}: dtype '{}' is not known; known are {}", t.where(), t.format,
                               known_formats()));
  return format->bytes;
}

void check(const TensorView& t) {
  if (t.name == "__metadata__") throw BadInput("no tensor can be called __metadata__");
  const std::optional<int64_t> count = element_count(t.shape);
  const int64_t width = element_bytes(t);
  if (!count || *count > INT64_MAX / width ||
      t.bytes.size() != static_cast<std::size_t>(*count * width))
    throw BadInput(fmt::format("{}: {} of shape {} does not take the {} bytes that it has",
                               t.where(), t.format, shape_text(t.shape), t.bytes.size()));
}

std::vector<const TensorView*> in_order(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> all;
  for (const TensorView& t : tensors) {
    check(t);
    all.push_back(&t);
  }
  std::sort(all.begin(), all.end(), [](const TensorView* a, const TensorView* b) {
    const int64_t wide_a = element_bytes(*a), wide_b = element_bytes(*b);
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return all;
}

}  // namespace

std::string_view safetensors_format(Dtype t) {
  switch (t) {
    case Dtype::kF32:
      return "F32";
    case Dtype::kF16:
      return "F16";
    case Dtype::kBf16:
      return "BF16";
    case Dtype::kF8E4M3:
      return "F8_E4M3";
    case Dtype::kInt8:
      return "I8";
    case Dtype::kInt32:
      return "I32";
    case Dtype::kF64:
      return "F64";
    case Dtype::kTf32:
      break;
  }
  throw BadInput("tensors cannot be stored as " + std::string(name(t)) + "; use f32");
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::json entries = nlohmann::json::object();
  if (!metadata.empty()) entries["__metadata__"] = metadata;
  const std::vector<const TensorView*> order = in_order(tensors);
  std::size_t end = 0;
  for (const TensorView* t : order) {
    const std::size_t begin = end;
    end += t->bytes.size();
    if (!entries
             .emplace(t->name, nlohmann::json{{"dtype", t->format},
                                              {"shape", t->shape},
                                              {"data_offsets", {begin, end}}})
             .second)
      throw BadInput(fmt::format("{}: the name is given twice", t->where()));
  }
  std::string header;
  try {
    header = entries.dump();
  } catch (const nlohmann::json::type_error&) {
    throw BadInput(path.string() + ": names and metadata must be UTF-8");
  }
  header.append((8 - header.size() % 8) % 8, ' ');  // so that the data are aligned
  const uint64_t length = header.size();
  std::string head(sizeof length, '\0');
  std::memcpy(head.data(), &length, sizeof length);
  head += header;

  std::vector<std::string_view> parts{head};
  for (const TensorView* t : order)
    parts.emplace_back(reinterpret_cast<const char*>(t->bytes.data()), t->bytes.size());
  write_file(path, parts);
}

}  // namespace ridge
