#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/core/dtype.h"

namespace ridge {

// A tensor as a file has it. Nothing is copied: `bytes` lie in the mapped file, little-endian, the
// last dimension contiguous, and need not be aligned to the element.
struct TensorView {
  std::string name;
  std::string_view format;     // as the file says it: "BF16", "F8_E4M3", "I64", …
  std::optional<Dtype> dtype;  // of that format, where kernels have it
  std::vector<int64_t> shape;  // empty: a scalar
  std::span<const std::byte> bytes;
  std::string file;  // for messages; empty in tensors that are to be written

  int64_t elements() const;
  std::string where() const;  // "model.safetensors: tensor 'lm_head.weight'"
};

// "[4096, 1024]"
std::string shape_text(std::span<const int64_t> shape);

// The format's name for `t`, "BF16". Throws BadInput for tf32, which is no way to store numbers.
std::string_view safetensors_format(Dtype t);

// Tensors of one file, or of all shards of a model, by name. The files stay mapped while this lives
// and must not be truncated meanwhile: reading a page that is gone ends the process (SIGBUS).
//
// The format (https://huggingface.co/docs/safetensors): the header's length as 8 little-endian
// bytes, the header as a JSON object {name: {dtype, shape, data_offsets: [begin, end]}}, the data.
// Tensors cover the data without holes and without overlap; `__metadata__` holds strings.
class Safetensors {
 public:
  // A .safetensors file, a model.safetensors.index.json, or a folder: of a folder
  // model.safetensors, else the shards that its index lists, else its only .safetensors file, as
  // Transformers looks for them. Throws BadInput that names the file, and the tensor or shard, for
  // whatever breaks the format's rules.
  static Safetensors open(const std::filesystem::path& path);

  const TensorView* find(std::string_view name) const;  // nullptr where there is none
  // Throws BadInput with the nearest name that there is.
  const TensorView& at(std::string_view name) const;

  std::span<const TensorView> tensors() const { return tensors_; }  // sorted by name
  std::vector<std::string> names() const;                           // sorted
  // Of all files; the later file's where two say different things.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }  // as given to open()
  std::uintmax_t bytes() const;                                // of all tensors

 private:
  std::filesystem::path path_;
  std::vector<std::shared_ptr<const void>> mappings_;  // unmap what the views are of
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes name, format, shape and bytes of each, the widest elements first, so that every tensor is
// aligned, then by name. Written beside `path` and renamed. Throws BadInput for a name given twice,
// an unknown format, and bytes that do not fit the shape; std::runtime_error as write_file() does.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ridge
