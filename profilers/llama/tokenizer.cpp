#include "profilers/llama/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"
#include "kernels/core/json_file.h"

#ifdef RIDGE_HAVE_SENTENCEPIECE
#include <sentencepiece_processor.h>
#endif

namespace ridge {

namespace fs = std::filesystem;

#ifdef RIDGE_HAVE_SENTENCEPIECE

struct Tokenizer::Implementation {
  sentencepiece::SentencePieceProcessor processor;
  bool add_bos = true;
};

namespace {

std::optional<int32_t> if_there(int id) {
  return id < 0 ? std::nullopt : std::optional<int32_t>(id);
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw BadInput(file.string() + ": cannot be read: " + std::strerror(errno));
  return {std::istreambuf_iterator<char>(in), {}};
}

// Meta's Llama 3 has another format under the same name: lines of base64 text and its rank.
bool is_tiktoken(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  const std::size_t space = line.find_first_not_of(kBase64);
  return space != std::string_view::npos && space > 0 && line.substr(space) == " 0";
}

bool adds_bos(const fs::path& folder) {
  const fs::path file = folder / "tokenizer_config.json";
  std::error_code absent;
  if (!fs::exists(file, absent)) return true;
  const nlohmann::json config = read_json(file);
  const auto said = config.is_object() ? config.find("add_bos_token") : config.end();
  return said == config.end() || !said->is_boolean() || said->get<bool>();
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int> tokens;
  const auto status = implementation_->processor.Encode(text, &tokens);
  if (!status.ok()) throw BadInput("the text has no tokens: " + status.ToString());
  if (implementation_->add_bos && bos()) tokens.insert(tokens.begin(), *bos());
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  std::vector<int> known;
  const auto flush = [&] {
    std::string part;
    const auto status = implementation_->processor.Decode(known, &part);
    if (!status.ok()) throw BadInput("the tokens are no text: " + status.ToString());
    text += part;
    known.clear();
  };
  for (const int32_t token : tokens) {
    if (token >= 0 && token < vocab()) {
      known.push_back(token);
      continue;
    }
    flush();
    text += "\xef\xbf\xbd";
  }
  flush();
  return text;
}

int64_t Tokenizer::vocab() const { return implementation_->processor.GetPieceSize(); }
std::optional<int32_t> Tokenizer::bos() const {
  return if_there(implementation_->processor.bos_id());
}
std::optional<int32_t> Tokenizer::eos() const {
  return if_there(implementation_->processor.eos_id());
}

OpenedTokenizer Tokenizer::open(const fs::path& path) {
  std::error_code absent;
  const bool folder = fs::is_directory(path, absent);
  const fs::path file = folder ? path / "tokenizer.model" : path;
  if (folder && !fs::exists(file, absent)) {
    if (fs::exists(path / "tokenizer.json", absent))
      return {.why_not = path.string() +
                         ": its tokenizer.json is not read (there is no packaged C++ library for "
                         "it), so that prompts are counts of tokens"};
    return {.why_not = path.string() +
                       ": has no tokenizer.model, so that prompts are counts of "
                       "tokens"};
  }
  const std::string bytes = content(file);
  if (is_tiktoken(bytes))
    return {.why_not = file.string() +
                       ": is in tiktoken's format, which is not read, so that "
                       "prompts are counts of tokens"};
  auto implementation = std::make_unique<Implementation>();
  const auto status = implementation->processor.LoadFromSerializedProto(bytes);
  if (!status.ok() || implementation->processor.GetPieceSize() <= 0)
    throw BadInput(file.string() + ": is not a SentencePiece model, or not a whole one");
  implementation->add_bos = adds_bos(file.parent_path());
  return {.tokenizer = Tokenizer(std::move(implementation))};
}

#else  // without SentencePiece there is never a Tokenizer

struct Tokenizer::Implementation {};
std::vector<int32_t> Tokenizer::encode(std::string_view) const { return {}; }
std::string Tokenizer::decode(std::span<const int32_t>) const { return {}; }
int64_t Tokenizer::vocab() const { return 0; }
std::optional<int32_t> Tokenizer::bos() const { return {}; }
std::optional<int32_t> Tokenizer::eos() const { return {}; }

OpenedTokenizer Tokenizer::open(const fs::path& path) {
  return {.why_not = path.string() +
                     ": text needs SentencePiece (libsentencepiece-dev), which this "
                     "build has not, so that prompts are counts of tokens"};
}

#endif

Tokenizer::Tokenizer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

}  // namespace ridge
