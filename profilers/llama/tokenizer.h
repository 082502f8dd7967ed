#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ridge {

struct OpenedTokenizer;

// Text to tokens and back, as a model's own tokenizer.model has it: SentencePiece, which Llama 2
// and Mistral have. The byte-level BPE of Llama 3 and Qwen (tokenizer.json) is not read: Debian and
// Ubuntu package no C++ library for it.
class Tokenizer {
 public:
  // Of a folder, or a file. No tokenizer, one of another kind, or a build without SentencePiece is
  // no error: a benchmark runs on counts of tokens then, and says why. Throws BadInput that names
  // the file where tokenizer.model is broken.
  static OpenedTokenizer open(const std::filesystem::path& path);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // The token that begins a text goes in front, unless the folder's tokenizer_config.json has
  // "add_bos_token": false or there is none. Text like "<s>" stands for itself.
  std::vector<int32_t> encode(std::string_view text) const;

  // Whole sequences: a part of one loses its first space, or a character's first bytes. Control
  // tokens are no text; a token that the tokenizer has not (models round their vocabulary up) reads
  // as U+FFFD.
  std::string decode(std::span<const int32_t> tokens) const;

  int64_t vocab() const;               // tokens are in [0, vocab)
  std::optional<int32_t> bos() const;  // begins a text
  std::optional<int32_t> eos() const;  // ends it

 private:
  struct Implementation;
  explicit Tokenizer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

struct OpenedTokenizer {
  std::optional<Tokenizer> tokenizer;
  std::string why_not;  // a sentence for the user; empty with a tokenizer
};

}  // namespace ridge
