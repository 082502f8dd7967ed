#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profilers/llama/safetensors.h"

namespace ridge {

// What the format calls a way to store an element.
struct StoredFormat {
  std::string_view name;
  int64_t bytes;  // of an element
  std::optional<Dtype> dtype;
};
const StoredFormat* find_format(std::string_view name);  // nullptr: unknown
std::string known_formats();                             // "BF16, BOOL, …"

// Elements of a shape; nullopt where a dimension is negative or the product leaves int64.
std::optional<int64_t> element_count(std::span<const int64_t> shape);

struct SafetensorsHeader {
  std::vector<TensorView> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

// Checks and reads a whole file's bytes; the views point into them. Throws BadInput that names
// `file` and the tensor.
SafetensorsHeader read_safetensors_header(std::span<const std::byte> whole,
                                          const std::string& file);

}  // namespace ridge
