// predict compare: exit codes and what it prints.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "calibrate/csv.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CompareProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-compare-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // The exit code; output in out_ and err_.
  int run(const std::string& flags) {
    const std::string f = folder_.string();
    const int status = std::system(
        ("'" RIDGE_PREDICT "' compare " + flags + " >" + f + "/out 2>" + f + "/err").c_str());
    out_ = read(folder_ / "out");
    err_ = read(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
  std::string out_, err_;
};

TEST_F(CompareProgram, BadInputEndsWithTwoAndSaysWhatIsKnown) {
  const auto refuses = [&](const std::string& flags, const std::string& named) {
    EXPECT_EQ(run(flags), 2) << flags;
    EXPECT_THAT(err_, HasSubstr(named)) << flags;
    EXPECT_EQ(out_, "") << flags;
  };
  refuses("--models 1b --gpus t5", "the nearest are T4");
  refuses("--models 1b --gpus t4,p5.48large", "p5.48xlarge");
  refuses("--models 1z --gpus t4", "'1z'");
  refuses("--models 1b --gpus t4 --engine vlm", "vllm");
  refuses("--models 1b --gpus t4 --batch 0", "--batch 0");
  refuses("--models 1b --gpus t4 --batch nan", "--batch nan");
  refuses("--models 1b --gpus t4 --input -5", "input=-5");
  refuses("--models 1b --gpus t4 --output 0", "output=0");
  refuses("--models 1b --gpus t4 --tpot-limit 50", "50ms");
  refuses("--models 1b --gpus t4 --ttft-limit=-1s", "-1s");
  refuses("--models 1b --gpus t4 --sort cost", "--prices");
  refuses("--models 1b --gpus t4 --prices /nowhere.csv", "/nowhere.csv");
  refuses("--models 1b --gpus t4 --prices " + write("p.csv", "gpu,usd_per_hour\nT4,nan\n"),
          "line 2");
  for (const char* flags :
       {"--models 1b", "--gpus t4", "--models 1b --gpus t4 --sort size",
        "--models 1b --gpus t4 --json --csv", "--models 1b --gpus t4 --weights int3"})
    EXPECT_EQ(run(flags), 2) << flags;
}

// 1B, 70B and a context that 1B has not, on eight T4s at most.
TEST_F(CompareProgram, WhatFitsIsPredictedAndTheRestSaysWhyNot) {
  const std::string prices = write("p.csv", "instance,usd_per_hour\ng4dn.12xlarge,4\n");
  const std::string flags =
      "--models llama-3.2-1b,70b --gpus g4dn.12xlarge --batch 1,4 --output 16 --prices " + prices;
  ASSERT_EQ(run(flags), 0) << err_;
  std::istringstream lines(out_);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_THAT(out_, HasSubstr("llama-3.2-1b: 1024 tokens in, 16 out"));
  EXPECT_THAT(out_, HasSubstr("does not fit: "));
  EXPECT_THAT(out_, HasSubstr("$/M out"));
  ASSERT_EQ(run(flags + " --json --sort cost --out " + (folder_ / "c.json").string()), 0) << err_;
  EXPECT_EQ(out_, "");
  const auto j = nlohmann::json::parse(read(folder_ / "c.json"));
  ASSERT_EQ(j.at("rows").size(), 4u);
  const auto& best = j.at("rows")[0];
  EXPECT_EQ(best.at("batch"), 4);
  EXPECT_EQ(best.at("replicas"), 4);
  EXPECT_LE(best.at("ttft_s").at("low"), best.at("ttft_s").at("value"));
  EXPECT_GT(best.at("ttft_s").at("high"), best.at("ttft_s").at("value"));
  EXPECT_GT(best.at("usd_per_million_output").get<double>(), 0);
  EXPECT_FALSE(j.at("rows")[2].at("fits").get<bool>());
}

TEST_F(CompareProgram, AContextThatTheModelHasNotEndsWithOne) {
  ASSERT_EQ(run("--models llama-2-7b,llama-3.2-1b --gpus t4 --input 5000 --output 2 --csv"), 1);
  EXPECT_THAT(err_, HasSubstr("not predicted: llama-2-7b on T4"));
  const Csv csv = parse_csv(out_, "out");
  ASSERT_EQ(csv.rows.size(), 2u);
  EXPECT_NE(csv.rows[0].back(), "");
  EXPECT_EQ(csv.rows[1].back(), "");
}

}  // namespace
}  // namespace ridge
