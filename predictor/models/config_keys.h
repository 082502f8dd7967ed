#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ridge {

// The keys of one JSON object, typed; null counts as absent, as in Transformers. Everything throws
// BadInput that names `where` and the key.
class ConfigKeys {
 public:
  ConfigKeys(const nlohmann::json& object, std::string where);

  bool has(const char* key) const;
  const std::string& where() const { return where_; }

  // In [1, most]. `fallback` where the key is absent; 0: then it is an error.
  int64_t whole(const char* key, int64_t most, int64_t fallback = 0) const;
  // In [0, most].
  int64_t whole_or_0(const char* key, int64_t most) const;
  double share(const char* key) const;  // in (0, 1]; 1 where absent
  bool flag(const char* key, bool fallback) const;
  std::string text(const char* key, const std::string& fallback) const;
  std::vector<std::string> texts(const char* key) const;  // empty where absent
  std::vector<int64_t> wholes(const char* key, int64_t most) const;

  [[noreturn]] void fail(const std::string& what) const;

 private:
  const nlohmann::json* find(const char* key) const;
  int64_t checked(const char* key, const nlohmann::json& value, int64_t least, int64_t most) const;

  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace ridge
