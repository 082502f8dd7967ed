// The program itself: exit codes, what it writes, what it leaves.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "calibrate/csv.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kPredict = "'" RIDGE_PREDICT "'";  // quoted: the tree may lie in any folder

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-predict-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    save_table(fixture::table(40), folder_ / "t.json");
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // The exit code; output in out_ and err_.
  int run(const std::string& csv, const std::string& flags) {
    std::ofstream(folder_ / "in.csv", std::ios::binary) << csv;
    const std::string f = folder_.string();
    const std::string command = kPredict + " kernels --table " + f +
                                "/t.json --csv " + f + "/in.csv " + flags + " >" + f + "/out 2>" +
                                f + "/err";
    const int status = std::system(command.c_str());
    out_ = read(folder_ / "out");
    err_ = read(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path folder_;
  std::string out_, err_;
};

constexpr const char* kGood =
    "note,op,dtype,m,n,k,rows,cols,latency_us\r\n"
    "\"a, b\",gemm,fp32,64,4096,4096,,,200\r\n"
    ",gemm,fp32,128,4096,4096,,,\r\n"
    ",rmsnorm,fp32,,,,512,4096,30\r\n";

TEST_F(Predict, KeepsColumnsAndAddsItsOwn) {
  ASSERT_EQ(run(kGood, "--out " + (folder_ / "p.csv").string()), 0) << err_;
  const Csv csv = parse_csv(read(folder_ / "p.csv"), "p.csv");
  ASSERT_EQ(csv.rows.size(), 3u);
  EXPECT_EQ(csv.header.size(), 13u);
  EXPECT_EQ(csv.rows[0][0], "a, b");
  EXPECT_EQ(csv.header[9], "predicted_us");
  EXPECT_EQ(csv.rows[0][12], "interpolated");
  EXPECT_LE(std::stod(csv.rows[0][10]), std::stod(csv.rows[0][9]));
  EXPECT_GE(std::stod(csv.rows[0][11]), std::stod(csv.rows[0][9]));
  EXPECT_THAT(out_, HasSubstr("gemm"));
  EXPECT_THAT(out_, HasSubstr("median"));
  std::istringstream lines(out_);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(folder_.string()) == std::string::npos) {
      EXPECT_LE(line.size(), 82u) << line;
    }
  }
}

TEST_F(Predict, WithoutOutTheDataGoesToStandardOutput) {
  ASSERT_EQ(run(kGood, ""), 0) << err_;
  EXPECT_EQ(parse_csv(out_, "out").rows.size(), 3u);
  EXPECT_THAT(err_, HasSubstr("rmsnorm"));
}

TEST_F(Predict, JsonIsJson) {
  ASSERT_EQ(run(kGood, "--json"), 0) << err_;
  const auto j = nlohmann::json::parse(out_);
  EXPECT_EQ(j.at("predictions").size(), 3u);
  EXPECT_EQ(j.at("errors").size(), 3u);  // gemm, rmsnorm, all
}

TEST_F(Predict, PredictingItsOwnOutputReplacesTheColumns) {
  ASSERT_EQ(run(kGood, ""), 0);
  const std::string once = out_;
  ASSERT_EQ(run(once, ""), 0) << err_;
  EXPECT_EQ(out_, once);
}

TEST_F(Predict, BadRowsEndWithTwoAndWriteNothing) {
  const std::string out = (folder_ / "p.csv").string();
  for (const char* bad :
       {"", "op,dtype,m,n,k\n", "op,dtype,m,n,k\ngemm,f32,nan,1,1\n",
        "op,dtype,m,n,k\ngemm,f32,-1,1,1\n", "op,dtype,m,n,k\ngemm,f32,1e30,1,1\n",
        "op,dtype,m,n,k\ngemm,f32,1,1\n", "op,dtype,m,n,k\nwarp,f32,1,1,1\n",
        "op,dtype,m,n,k\ngemm,bf16,1,1,1\n"}) {
    EXPECT_EQ(run(bad, "--out " + out), 2) << bad;
    EXPECT_THAT(err_, HasSubstr("error: ")) << bad;
    EXPECT_THAT(err_, HasSubstr("in.csv")) << bad;
    EXPECT_FALSE(fs::exists(out)) << bad;
  }
}

TEST_F(Predict, WrongUseAndBadTablesEndWithTwo) {
  EXPECT_EQ(run(kGood, "--no-such-flag"), 2);
  std::ofstream(folder_ / "t.json") << "{\"schema_version\": ";
  EXPECT_EQ(run(kGood, ""), 2);
  EXPECT_THAT(err_, HasSubstr("t.json"));
  EXPECT_EQ(out_, "");
}

TEST_F(Predict, AFullDiskEndsWithOneAndLeavesNothing) {
  EXPECT_EQ(run(kGood, "--out " + (folder_ / "t.json" / "p.csv").string()), 1);
  EXPECT_THAT(err_, HasSubstr("p.csv"));
  if (fs::exists("/dev/full")) {
    const std::string f = folder_.string();
    const int status = std::system((kPredict + " kernels --table " + f +
                                    "/t.json --csv " + f + "/in.csv >/dev/full 2>" + f + "/err")
                                       .c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
  }
}

}  // namespace
}  // namespace ridge
