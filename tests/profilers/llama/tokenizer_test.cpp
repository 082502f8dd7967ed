// Tokenizers of models that SentencePiece's own trainer makes here, as Llama 2's was made: BPE with
// bytes for what the vocabulary has not, and spaces kept.
#include "profilers/llama/tokenizer.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "kernels/core/error.h"
#include "tests/error_of.h"
#include "tests/profilers/llama/files.h"

#ifdef RIDGE_HAVE_SENTENCEPIECE_TRAINER
#include <sentencepiece_trainer.h>
#endif

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kVocab = 400;

struct TokenizerFolder : FolderTest {
  // False where there is no trainer.
  bool train([[maybe_unused]] const std::string& more = "") {
#ifdef RIDGE_HAVE_SENTENCEPIECE_TRAINER
    std::string text;
    for (int i = 0; i < 200; ++i)
      text += "the quick brown fox number " + std::to_string(i * i) + " jumps over the lazy dog\n";
    const fs::path input = put("corpus.txt", text);
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        "--input=" + input.string() + " --model_prefix=" + (folder_ / "tokenizer").string() +
        " --model_type=bpe --vocab_size=" + std::to_string(kVocab) +
        " --byte_fallback=true --normalization_rule_name=identity"
        " --remove_extra_whitespaces=false --minloglevel=2" +
        more);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return true;
#else
    return false;
#endif
  }
  Tokenizer opened() {
    OpenedTokenizer found = Tokenizer::open(folder_);
    EXPECT_EQ(found.why_not, "");
    return std::move(found.tokenizer.value());
  }
  std::string why_not() { return Tokenizer::open(folder_).why_not; }
};

#define TRAIN_OR_SKIP(...) \
  if (!train(__VA_ARGS__)) GTEST_SKIP() << "SentencePiece's trainer is not installed"

TEST_F(TokenizerFolder, KnowsItsVocabularyAndEnds) {
  TRAIN_OR_SKIP();
  const Tokenizer t = opened();
  EXPECT_EQ(t.vocab(), kVocab);
  EXPECT_EQ(t.bos(), 1);  // as Llama 2's
  EXPECT_EQ(t.eos(), 2);
  const std::vector<int32_t> tokens = t.encode("the quick brown fox");
  EXPECT_EQ(tokens.front(), 1);
  EXPECT_GT(tokens.size(), 1u);
  EXPECT_LT(tokens.size(), std::string("the quick brown fox").size());
  EXPECT_EQ(t.encode(""), std::vector<int32_t>{1});
  // The file says the same as its folder.
  EXPECT_EQ(Tokenizer::open(folder_ / "tokenizer.model").tokenizer->encode("the fox"),
            t.encode("the fox"));
}

TEST_F(TokenizerFolder, TextComesBackWhateverItIs) {
  TRAIN_OR_SKIP();
  const Tokenizer t = opened();
  for (const std::string text : {"", "the lazy dog", " leading", "two  spaces ", "new\nline\ttab",
                                 "Grüße, 世界 🦙", "<s> is text </s>", "<unk>"})
    EXPECT_EQ(t.decode(t.encode(text)), text);
  EXPECT_TRUE(rc::check("any ASCII", [&] {
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
    const std::vector<int32_t> tokens = t.encode(text);
    for (const int32_t token : tokens) RC_ASSERT(token >= 0 && token < t.vocab());
    RC_ASSERT(t.decode(tokens) == text);
  }));
}

TEST_F(TokenizerFolder, ControlTokensAreNoTextAndUnknownOnesAreSeen) {
  TRAIN_OR_SKIP();
  const Tokenizer t = opened();
  std::vector<int32_t> tokens = t.encode("the fox");
  tokens.push_back(*t.eos());
  EXPECT_EQ(t.decode(tokens), "the fox");
  tokens.push_back(kVocab);
  tokens.push_back(-1);
  EXPECT_EQ(t.decode(tokens), "the fox\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(TokenizerFolder, ItsConfigMayWantNoBeginning) {
  TRAIN_OR_SKIP();
  const std::vector<int32_t> with = opened().encode("the fox");
  for (const char* text : {R"({"add_bos_token": null})", "[]", R"({"add_bos_token": true})"}) {
    put("tokenizer_config.json", text);
    EXPECT_EQ(opened().encode("the fox"), with) << text;
  }
  put("tokenizer_config.json", R"({"add_bos_token": false})");
  const std::vector<int32_t> without = opened().encode("the fox");
  EXPECT_EQ(without, std::vector<int32_t>(with.begin() + 1, with.end()));
  put("tokenizer_config.json", "{");
  EXPECT_THAT(error_of([&] { (void)why_not(); }), HasSubstr("tokenizer_config.json"));
}

TEST_F(TokenizerFolder, OfAModelWithoutABeginningAddsNone) {
  TRAIN_OR_SKIP(" --bos_id=-1");
  const Tokenizer t = opened();
  EXPECT_EQ(t.bos(), std::nullopt);
  EXPECT_TRUE(t.encode("").empty());
}

TEST_F(TokenizerFolder, BrokenFilesAreRefusedByName) {
  TRAIN_OR_SKIP();
  const std::string whole = content(folder_ / "tokenizer.model");
  for (const std::string& bytes : {std::string(), std::string("no model"), whole.substr(0, 100),
                                   whole.substr(0, whole.size() / 2), "\xff" + whole}) {
    put("tokenizer.model", bytes);
    EXPECT_THAT(error_of([&] { (void)why_not(); }),
                AllOf(HasSubstr("tokenizer.model"), HasSubstr("not a whole one")))
        << bytes.size() << " bytes";
  }
  EXPECT_THAT(error_of([&] { (void)Tokenizer::open(folder_ / "absent"); }),
              HasSubstr("absent: cannot be read"));
}

TEST_F(TokenizerFolder, WithoutOneSaysWhyAndThatTokensAreCounted) {
  EXPECT_THAT(why_not(), AllOf(HasSubstr(folder_.string()), HasSubstr("counts of tokens")));
  put("tokenizer.json", "{}");
  EXPECT_THAT(why_not(), HasSubstr("counts of tokens"));
  EXPECT_FALSE(Tokenizer::open(folder_).tokenizer.has_value());
}

TEST_F(TokenizerFolder, OfTiktokenIsNotTakenForABrokenOne) {
  put("tokenizer.model", "IQ== 0\nIg== 1\nIw== 2\n");  // as Meta's Llama 3 begins
  EXPECT_THAT(why_not(), HasSubstr("counts of tokens"));
}

}  // namespace
}  // namespace ridge
