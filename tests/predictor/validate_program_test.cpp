// predict validate as a user runs it: exit codes, what it writes, what it leaves.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "calibrate/csv_calls.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Validate : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-validate-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    save_table(fixture::table(12), folder_ / "t.json");
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  // The exit code; output in out_ and err_. Runs in the folder.
  int run(const std::string& flags) {
    const std::string command =
        "cd '" + folder_.string() + "' && '" RIDGE_PREDICT "' validate " + flags + " >out 2>err";
    const int status = std::system(command.c_str());
    out_ = read(folder_ / "out");
    err_ = read(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path folder_;
  std::string out_, err_;
};

constexpr const char* kGood =
    "op,dtype,m,n,k,rows,cols,latency_us\n"
    "gemm,fp32,64,4096,4096,,,200\n"
    "rmsnorm,fp32,,,,512,4096,30\n";

TEST_F(Validate, WritesWhatItSays) {
  write("k.csv", kGood);
  ASSERT_EQ(run("--table t.json --csv k.csv --out o --no-charts"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("2 rows of 1 file"));
  EXPECT_THAT(out_, HasSubstr("gemm f32"));
  EXPECT_EQ(err_, "");
  EXPECT_EQ(parse_csv(read(folder_ / "o/predictions.csv"), "p").rows.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "o/statistics.json")).at("rows"), 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "o"), fs::directory_iterator()), 2);
}

TEST_F(Validate, SeveralFilesAndJson) {
  write("k.csv", kGood);
  write("l.csv", kGood);
  ASSERT_EQ(run("--table t.json --csv k.csv l.csv --json"), 0) << err_;
  EXPECT_EQ(nlohmann::json::parse(out_).at("rows"), 4);
}

TEST_F(Validate, RowsThatCannotBePredictedEndWithOneAndTheRestIsDone) {
  write("k.csv", std::string(kGood) + "gemm,bf16,1,1,1,,,5\n");
  EXPECT_EQ(run("--table t.json --csv k.csv --out o --no-charts"), 1);
  EXPECT_THAT(err_, HasSubstr("1 row not predicted\n  k.csv:4\n"));
  EXPECT_EQ(parse_csv(read(folder_ / "o/predictions.csv"), "p").rows.size(), 2u);
}

TEST_F(Validate, BadFilesEndWithTwoAndWriteNothing) {
  write("k.csv", kGood);
  write("model.csv", "gpu,model,ttft_ms\nH100,llama,5\n");
  write("torn.csv", "op,dtype,m\ngemm,f32\n");
  write("torn.json", "{\"schema_version\": 3, \"samples\": [");
  const std::pair<const char*, const char*> cases[] = {
      {"--table t.json --csv no.csv", "no.csv: cannot be read"},
      {"--table t.json --csv model.csv", "model.csv: line 1: column 'input_tokens' is missing"},
      {"--table t.json --csv torn.csv", "torn.csv: line 2"},
      {"--table no.json --csv k.csv", "no.json"},
      {"--table torn.json --csv k.csv", "torn.json"},
      {"--table t.json t.json --csv k.csv", "a second table of 'Test machine'"},
      {"--table t.json", "--csv"}};
  for (const auto& [flags, says] : cases) {
    EXPECT_EQ(run(std::string(flags) + " --out o --no-charts"), 2) << flags;
    EXPECT_THAT(err_, HasSubstr(says)) << flags;
    EXPECT_EQ(out_, "") << flags;
    EXPECT_FALSE(fs::exists(folder_ / "o/predictions.csv")) << flags;
  }
}

TEST_F(Validate, AFolderThatCannotBeWrittenIsSaidFirst) {
  write("k.csv", kGood);
  write("o", "in the way");
  EXPECT_EQ(run("--table t.json --csv k.csv --out o --no-charts"), 1);
  EXPECT_THAT(err_, HasSubstr("o/statistics.json"));
  EXPECT_EQ(out_, "");
}

TEST_F(Validate, WholeModelsAreToldAndWritten) {
  const std::string head = "gpu,model,input_tokens,output_tokens,batch,measured_total_ms\n";
  write("m.csv", head + "H100,llama-3.2-1b,128,16,1,40\nH100,lama,128,16,1,40\n");
  EXPECT_EQ(run("--csv m.csv --out o --no-charts"), 1);
  EXPECT_THAT(out_, HasSubstr("1 row of m.csv, engine kernels\n"));
  EXPECT_THAT(out_, HasSubstr("1 row furthest off\n"));
  EXPECT_THAT(err_, HasSubstr("1 row of m.csv not predicted: unknown model 1\n  line 3:"));
  const Csv predictions = parse_csv(read(folder_ / "o/predictions.csv"), "p");
  ASSERT_EQ(predictions.rows.size(), 2u);
  EXPECT_EQ(predictions.rows[1].back(), "");
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "o/statistics.json")).at("rejected").size(), 1u);
  write("good.csv", head + "H100,llama-3.2-1b,128,16,1,40\n");
  EXPECT_EQ(run("--csv good.csv --out one.csv"), 0) << err_;
  EXPECT_EQ(parse_csv(read(folder_ / "one.csv"), "p").rows.size(), 1u);
  EXPECT_EQ(err_, "");  // no charts beside a file
  EXPECT_EQ(run("--csv good.csv --out m.csv/in-the-way"), 1);
  EXPECT_EQ(out_, "");
}

}  // namespace
}  // namespace ridge
