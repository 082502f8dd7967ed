#include "profilers/llama/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/core/error.h"

namespace ridge {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are read where they lie");

// The limit of the format's own library: a length beyond it is a broken file, not a big model.
constexpr uint64_t kMostHeaderBytes = 100'000'000;

constexpr std::array<StoredFormat, 17> kFormats{{
    {"BF16", 2, Dtype::kBf16},
    {"BOOL", 1, std::nullopt},
    {"C64", 8, std::nullopt},
    {"F16", 2, Dtype::kF16},
    {"F32", 4, Dtype::kF32},
    {"F64", 8, Dtype::kF64},
    {"F8_E4M3", 1, Dtype::kF8E4M3},
    {"F8_E5M2", 1, std::nullopt},
    {"F8_E8M0", 1, std::nullopt},
    {"I16", 2, std::nullopt},
    {"I32", 4, Dtype::kInt32},
    {"I64", 8, std::nullopt},
    {"I8", 1, Dtype::kInt8},
    {"U16", 2, std::nullopt},
    {"U32", 4, std::nullopt},
    {"U64", 8, std::nullopt},
    {"U8", 1, std::nullopt},
}};

// A value as a message shows it: short, whatever it is.
std::string shown(const json& value) {
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

// Refuses what a JSON reader would let pass: a key given twice, of which only one would be seen.
class UniqueKeys {
 public:
  explicit UniqueKeys(const std::string& file) : file_(file) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    // Nothing that the format knows lies deeper than {tensor: {shape: [dimension]}}.
    if (depth > 3) throw BadInput(file_ + ": the header is nested too deep for a safetensors file");
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.back().insert(parsed.get<std::string>()).second)
      throw BadInput(fmt::format("{}: the header has {} twice", file_, shown(parsed)));
    return true;
  }

 private:
  const std::string& file_;
  std::vector<std::set<std::string>> keys_;
};

json parse_header(std::string_view text, const std::string& file) {
  if (text.empty() || text.front() != '{')
    throw BadInput(file + ": the header does not start with '{': not a safetensors file");
  try {
    return json::parse(text, UniqueKeys(file));
  } catch (const json::parse_error& e) {
    std::string what = e.what();  // "[json.exception.…] parse error at line 1, column 2: …"
    what.erase(0, std::min(what.find("parse error"), what.size()));
    what.erase(std::min(what.find("; last read"), what.size()));  // which may be a megabyte
    throw BadInput(file + ": the header is not whole JSON: " + what);
  }
}

const json& member(const json& entry, const char* key, const std::string& where) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw BadInput(fmt::format("{}: has no {}", where, key));
  return *found;
}

// A list of whole numbers that an int64 holds.
std::vector<int64_t> numbers(const json& entry, const char* key, const std::string& where) {
  const json& list = member(entry, key, where);
  const auto whole = [](const json& j) {
    return j.is_number_unsigned() && j.get<uint64_t>() <= INT64_MAX;
  };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), whole))
    throw BadInput(
        fmt::format("{}: {} = {} must be a list of whole numbers", where, key, shown(list)));
  return list.get<std::vector<int64_t>>();
}

TensorView read_tensor(const std::string& name, const json& entry, std::span<const std::byte> data,
                       const std::string& file) {
  TensorView t{.name = name, .file = file};
  const std::string where = t.where();
  if (!entry.is_object())
    throw BadInput(where + ": must be an object with dtype, shape and data_offsets");
  const json& dtype = member(entry, "dtype", where);
  const StoredFormat* format =
      dtype.is_string() ? find_format(dtype.get_ref<const std::string&>()) : nullptr;
  if (!format)
    throw BadInput(fmt::format("{}: dtype {} is not known; known are {}", where, shown(dtype),
                               known_formats()));
  t.format = format->name;
  t.dtype = format->dtype;
  t.shape = numbers(entry, "shape", where);
  const std::vector<int64_t> offsets = numbers(entry, "data_offsets", where);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw BadInput(fmt::format("{}: data_offsets = {} must be [begin, end]", where,
                               shown(entry.at("data_offsets"))));
  const auto begin = static_cast<uint64_t>(offsets[0]), end = static_cast<uint64_t>(offsets[1]);
  if (end > data.size())
    throw BadInput(fmt::format("{}: ends at byte {} of the data, but the file has {}: truncated?",
                               where, end, data.size()));
  const std::optional<int64_t> count = element_count(t.shape);
  if (!count || *count > INT64_MAX / format->bytes ||
      end - begin != static_cast<uint64_t>(*count * format->bytes))
    throw BadInput(fmt::format("{}: {} of shape {} does not take the {} bytes that it has", where,
                               t.format, shape_text(t.shape), end - begin));
  t.bytes = data.subspan(begin, end - begin);
  return t;
}

std::map<std::string, std::string> read_metadata(const json& object, const std::string& file) {
  const auto text = [](const json& value) { return value.is_string(); };
  if (!object.is_object() || !std::all_of(object.begin(), object.end(), text))
    throw BadInput(file + ": __metadata__ must be an object of strings");
  return object.get<std::map<std::string, std::string>>();
}

// `tensors` in the order of their bytes: each must begin where the one before it ended.
void check_cover(std::span<const TensorView> tensors, std::span<const std::byte> data,
                 const std::string& file) {
  const std::byte* end = data.data();
  for (const TensorView& t : tensors) {
    if (t.bytes.data() != end)
      throw BadInput(fmt::format("{}: begins at byte {} of the data, {} the {} before it",
                                 t.where(), t.bytes.data() - data.data(),
                                 t.bytes.data() < end ? "inside" : "leaving a hole behind",
                                 end - data.data()));
    end = t.bytes.data() + t.bytes.size();
  }
  if (const auto rest = data.data() + data.size() - end; rest != 0)
    throw BadInput(fmt::format("{}: {} bytes at the end belong to no tensor", file, rest));
}

}  // namespace

const StoredFormat* find_format(std::string_view name) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const StoredFormat& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string known_formats() {
  std::string text;
  for (const StoredFormat& f : kFormats) text += (text.empty() ? "" : ", ") + std::string(f.name);
  return text;
}

std::optional<int64_t> element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (const int64_t n : shape)
    if (n < 0 || __builtin_mul_overflow(count, n, &count)) return std::nullopt;
  return count;
}

SafetensorsHeader read_safetensors_header(std::span<const std::byte> whole,
                                          const std::string& file) {
  const std::string_view start(reinterpret_cast<const char*>(whole.data()),
                               std::min<std::size_t>(whole.size(), 64));
  if (start.starts_with("version https://git-lfs"))
    throw BadInput(file + ": is Git LFS's pointer to the file, not the file; run `git lfs pull`");
  uint64_t length = 0;
  if (whole.size() < sizeof length)
    throw BadInput(fmt::format("{}: has {} bytes: not a safetensors file", file, whole.size()));
  std::memcpy(&length, whole.data(), sizeof length);
  if (length > kMostHeaderBytes)
    throw BadInput(
        fmt::format("{}: says that its header takes {} bytes, more than the {} that are "
                    "allowed: not a safetensors file",
                    file, length, kMostHeaderBytes));
  if (length > whole.size() - sizeof length)
    throw BadInput(fmt::format("{}: its header takes {} bytes, but the file has {}: truncated?",
                               file, length, whole.size()));
  const std::string_view text(reinterpret_cast<const char*>(whole.data()) + sizeof length, length);
  const std::span<const std::byte> data = whole.subspan(sizeof length + length);

  SafetensorsHeader header;
  const json entries = parse_header(text, file);
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__")
      header.metadata = read_metadata(entry, file);
    else
      header.tensors.push_back(read_tensor(name, entry, data, file));
  }
  // Where tensors without elements begin with another, they come first.
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorView& a, const TensorView& b) {
              return a.bytes.data() != b.bytes.data() ? a.bytes.data() < b.bytes.data()
                                                      : a.bytes.size() < b.bytes.size();
            });
  check_cover(header.tensors, data, file);
  return header;
}

}  // namespace ridge
