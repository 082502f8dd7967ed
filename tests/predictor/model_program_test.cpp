// predict without a subcommand, predict scenarios and predict compare, as a user runs them.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "calibrate/csv.h"
#include "predictor/request/request_report.h"
#include "roofline/device_specs.h"
#include "tests/calibrate/fixture.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ModelProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "ridge-model-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string read(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  // The exit code; output in out_ and err_. Runs in the folder.
  int run(const std::string& flags) {
    const std::string command =
        "cd '" + folder_.string() + "' && '" RIDGE_PREDICT "' " + flags + " >out 2>err";
    const int status = std::system(command.c_str());
    out_ = read("out");
    err_ = read("err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  nlohmann::json json_of(const std::string& flags) {
    EXPECT_EQ(run(flags + " --json"), 0) << err_;
    return nlohmann::json::parse(out_);
  }
  double ttft(const std::string& flags) { return json_of(flags).at("ttft_s").at("value"); }
  double tpot(const std::string& flags) { return json_of(flags).at("tpot_s").at("value"); }

  fs::path folder_;
  std::string out_, err_;
};

const std::string kOne = "--model 1b --gpu l40s --input 200 --output 20 ";

TEST_F(ModelProgram, ReadsWellIn80Columns) {
  ASSERT_EQ(run("--model llama-3.1-8b --gpu h200 --input 4096 --output 512 --batch 16"), 0) << err_;
  EXPECT_THAT(out_, ::testing::StartsWith("llama-3.1-8b on H200: batch 16, 4,096 tokens in, 512 "
                                          "out\nbf16, kernels engine, 1 GPU\n"));
  for (const char* said :
       {"(TTFT)", "(TPOT)", "80 % interval", "p95", "output tokens/s", "each user", "fits,",
        "weights 16.1 GB", "prefill, ", "decode, ", "MFU", "flop/byte", "answered by"})
    EXPECT_THAT(out_, HasSubstr(said));
  std::istringstream lines(out_);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(err_, "");
}

TEST_F(ModelProgram, JsonFollowsItsSchema) {
  EXPECT_EQ(request_schema_errors(json_of(kOne)), "");
  EXPECT_EQ(request_schema_errors(json_of(kOne + "--batch-curve --tpot-limit 5ms")), "");
  ASSERT_EQ(run(kOne + "--json --out a.json"), 0) << err_;
  EXPECT_EQ(out_, "");
  EXPECT_EQ(request_schema_errors(nlohmann::json::parse(read("a.json"))), "");
}

TEST_F(ModelProgram, OptionsAct) {
  const double first = ttft(kOne), step = tpot(kOne);
  EXPECT_GT(ttft(kOne + "--batch 8"), first);
  EXPECT_LT(ttft(kOne + "--cached 150"), first);
  EXPECT_GT(ttft(kOne + "--chunk 50"), first);
  EXPECT_NE(ttft(kOne + "--engine vllm"), first);
  EXPECT_LT(tpot(kOne + "--weights int4"), step);
  EXPECT_LT(tpot(kOne + "--batch 32 --kv-cache int8"), tpot(kOne + "--batch 32"));
  EXPECT_NE(ttft(kOne + "--weights fp8"), ttft(kOne + "--weights fp8 --weight-only"));
  EXPECT_LT(tpot("--model 8b --gpu h100 --tp 2"), tpot("--model 8b --gpu h100"));
  EXPECT_GT(ttft("--model 8b --gpu h100 --pp 2"), 0);
  EXPECT_LT(ttft("--model 8b --gpu h100 --dp 4 --batch 8"),
            ttft("--model 8b --gpu h100 --batch 8"));
  EXPECT_EQ(json_of("--model qwen3-30b-a3b --gpu h100 --dp 2 --ep 2 --batch 4")
                .at("deployment")
                .at("gpus"),
            2);
  EXPECT_GT(tpot(kOne + "--dtype f32"), step);
  const nlohmann::json half = json_of(kOne + "--memory-share 0.45"), whole = json_of(kOne);
  EXPECT_DOUBLE_EQ(2 * half.at("memory").at("usable_bytes").get<double>(),
                   whole.at("memory").at("usable_bytes").get<double>());
}

TEST_F(ModelProgram, ADraftModelProposes) {
  const std::string drafted = "--model 8b --gpu h100 --draft-model 1b --draft-tokens 3 ";
  EXPECT_LT(tpot(drafted + "--acceptance 0.9"), tpot(drafted + "--acceptance 0.1"));
  EXPECT_EQ(run("--model 8b --gpu h100 --acceptance 0.9"), 2);
}

TEST_F(ModelProgram, PromptsOfSeveralLengths) {
  write("lengths.csv", "request,input_tokens\n0,100\n1,300\n2,100\n3,300\n");
  const nlohmann::json listed = json_of("--model 1b --gpu l40s --input 300,100 --batch 4");
  const nlohmann::json filed = json_of("--model 1b --gpu l40s --prompt-lengths lengths.csv");
  EXPECT_EQ(listed, filed);
  EXPECT_EQ(listed.at("request").at("prompts").size(), 2u);
  EXPECT_EQ(json_of("--model 1b --gpu l40s --input 300,100").at("request").at("batch"), 2);
  EXPECT_EQ(run("--model 1b --gpu l40s --input 300,100 --batch 3"), 2);
  EXPECT_THAT(err_, HasSubstr("multiple of the 2 lengths"));
  EXPECT_EQ(run("--model 1b --gpu l40s --prompt-lengths lengths.csv --batch 3"), 2);
  for (const auto& [text, said] :
       {std::pair{"tokens\n1\n", "input_tokens"}, std::pair{"input_tokens\nx\n", "line 2"},
        std::pair{"input_tokens\n5\n-1\n", "line 3"}, std::pair{"", "bad.csv"}}) {
    write("bad.csv", text);
    EXPECT_EQ(run("--model 1b --gpu l40s --prompt-lengths bad.csv"), 2) << text;
    EXPECT_THAT(err_, HasSubstr(said)) << text;
  }
}

TEST_F(ModelProgram, MustFitEndsWithOneWhereItDoesNot) {
  EXPECT_EQ(run(kOne + "--must-fit"), 0);
  EXPECT_EQ(run("--model 70b --gpu l40s"), 0);
  EXPECT_THAT(out_, HasSubstr("DOES NOT FIT"));
  EXPECT_THAT(out_, HasSubstr("would fit: --tp 4"));
  EXPECT_EQ(run("--model 70b --gpu l40s --must-fit"), 1);
  EXPECT_THAT(err_, HasSubstr("does not fit on L40S"));
  EXPECT_THAT(out_, HasSubstr("DOES NOT FIT"));
}

TEST_F(ModelProgram, FineTuningActsAndIsSaved) {
  const double step = tpot(kOne);
  const double tuned = tpot(kOne + "--fine-tune gemm=2 --save-fine-tune f.json");
  EXPECT_GT(tuned, 1.5 * step);
  EXPECT_EQ(tpot(kOne + "--fine-tune f.json"), tuned);
  EXPECT_LT(tpot(kOne + "--fine-tune f.json --fine-tune gemm=1.5"), tuned);
  EXPECT_EQ(run("--model 1b --gpu h100 --fine-tune f.json"), 0);
  EXPECT_THAT(err_, HasSubstr("no multiplier in it is for"));
  EXPECT_EQ(run(kOne + "--fine-tune gem=2"), 2);
  EXPECT_EQ(run(kOne + "--fine-tune no_such.json"), 2);
}

TEST_F(ModelProgram, OwnTablesOfADeviceThatNobodyKnows) {
  save_table(fixture::table(40), folder_ / "t.json");
  ASSERT_EQ(run("--model 1b --table t.json --input 100 --output 10"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("llama-3.2-1b on Test machine"));
  EXPECT_THAT(out_, HasSubstr("f16, kernels engine"));  // it has no bf16
  EXPECT_EQ(run("--model 1b --table t.json --gpu h100"), 2);
  EXPECT_THAT(err_, HasSubstr("Test machine"));
}

TEST_F(ModelProgram, AConfigOrItsFolderIsAModel) {
  ASSERT_EQ(run("--model llama-3.2-1b --gpu l40s --json"), 0);
  const nlohmann::json bundled = nlohmann::json::parse(out_);
  fs::create_directories(folder_ / "mine");
  fs::copy_file(data_dir() / "predictor" / "models" / "bundled" / "llama-3.2-1b.json",
                folder_ / "mine" / "config.json");
  EXPECT_EQ(ttft("--model mine --gpu l40s"), bundled.at("ttft_s").at("value"));
  EXPECT_EQ(ttft("--model mine/config.json --gpu l40s"), bundled.at("ttft_s").at("value"));
}

TEST_F(ModelProgram, WrongUseEndsWithTwoAndSaysWhatToDo) {
  for (const auto& [flags, said] :
       {std::pair{"", "--model"}, std::pair{"--model 8b", "--gpu"},
        std::pair{"--model no-such-model --gpu h100", "nearest"},
        std::pair{"--model 8b --gpu h10", "H100"}, std::pair{"--model 8b --gpu h100 --tp 3", "3"},
        std::pair{"--model 8b --gpu h100 --input 9000", "8192"},
        std::pair{"--model 8b --gpu h100 --input 0", "input=0"},
        std::pair{"--model 8b --gpu h100 --output -1", "output=-1"},
        std::pair{"--model 8b --gpu h100 --batch 0", "--batch"},
        std::pair{"--model 8b --gpu h100 --dtype f7", "f7"},
        std::pair{"--model 8b --gpu h100 --engine vlm", "vllm"},
        std::pair{"--model 8b --gpu h100 --ttft-limit 5", "--ttft-limit"},
        std::pair{"--model 8b --gpu p4d.24xlarge --tp 16", "8 GPUs"},
        std::pair{"kernel --model 8b", "kernel"},
        std::pair{"--model 8b --gpu h100 --bach 3", "bach"},
        std::pair{"--model 8b --gpu h100 --table no_such.json", "no_such.json"}}) {
    EXPECT_EQ(run(flags), 2) << flags;
    EXPECT_THAT(err_, HasSubstr(said)) << flags;
    EXPECT_EQ(out_, "") << flags;
  }
}

TEST_F(ModelProgram, WhatCannotBeWrittenEndsWithOne) {
  write("file", "");
  EXPECT_EQ(run(kOne + "--out file/a.txt"), 1);
  EXPECT_THAT(err_, HasSubstr("file/a.txt"));
  EXPECT_EQ(out_, "");
  EXPECT_EQ(run(kOne + "--save-fine-tune file/a.json --fine-tune gemm=2"), 1);
  if (fs::exists("/dev/full")) {
    const int status = std::system(("'" RIDGE_PREDICT "' " + kOne + " >/dev/full 2>&1").c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
  }
}

// ---- scenarios

constexpr const char* kScenarios =
    "scenario_id,gpu,model,input_length,output_length,batch_size,use_case,description\n"
    "S1,L40S,LLaMA_3.2_1B,512,100,1,chat,\"a, b\"\n"
    "S2,H100,8b,1024,200,8,chat,c\n";

TEST_F(ModelProgram, ScenariosArePredicted) {
  write("s.csv", kScenarios);
  ASSERT_EQ(run("scenarios --csv s.csv --out p.csv"), 0) << err_;
  EXPECT_EQ(out_, "2 scenarios predicted: p.csv\n");
  const Csv csv = parse_csv(read("p.csv"), "p.csv");
  ASSERT_EQ(csv.rows.size(), 2u);
  EXPECT_EQ(csv.rows[0][7], "a, b");
  EXPECT_EQ(csv.header[8], "predicted_total_ms");
  ASSERT_EQ(run("scenarios --csv s.csv"), 0);
  EXPECT_EQ(out_, read("p.csv"));
}

TEST_F(ModelProgram, BadScenariosAreListedAndTheRestDone) {
  write("s.csv", std::string(kScenarios) + "S3,X9,8b,10,10,1,c,d\nS4,H100,8b,-1,10,1,c,d\n");
  EXPECT_EQ(run("scenarios --csv s.csv --out p.csv"), 1);
  EXPECT_EQ(out_, "2 scenarios predicted: p.csv\n");
  EXPECT_THAT(err_, HasSubstr("2 rows not predicted"));
  EXPECT_THAT(err_, HasSubstr("s.csv:4"));
  EXPECT_THAT(err_, HasSubstr("X9"));
  EXPECT_THAT(err_, HasSubstr("s.csv:5"));
  EXPECT_EQ(parse_csv(read("p.csv"), "p.csv").rows.size(), 4u);
  write("s.csv", "a,b\n1,2\n");
  EXPECT_EQ(run("scenarios --csv s.csv"), 2);
  EXPECT_THAT(err_, HasSubstr("'gpu' is missing"));
  EXPECT_EQ(run("scenarios --csv no_such.csv"), 2);
}

TEST_F(ModelProgram, TheExampleScenariosArePredicted) {
  const std::string example = (data_dir() / "scripts" / "scenarios.csv").string();
  EXPECT_EQ(run("scenarios --csv '" + example + "'"), 0) << err_;
}

// ---- compare

TEST_F(ModelProgram, ComparesGpusByCost) {
  write("prices.csv", "gpu,usd_per_hour\nL40S,1\nH100,4\n");
  ASSERT_EQ(run("compare --model 8b --gpus l40s,h100 --batch 1,8 --prices prices.csv --sort cost "
                "--weights int8 --weight-only --tpot-limit 50ms"),
            0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("$/M out"));
  EXPECT_THAT(out_, HasSubstr("int8 weights"));
  EXPECT_EQ(run("compare --model 8b --gpus l40s --sort cost"), 2);
  EXPECT_EQ(run("compare --model 8b --gpus l40s --batch 0"), 2);
  EXPECT_EQ(run("compare --model 8b --gpus l40s --input 100000"), 1);
  EXPECT_THAT(err_, HasSubstr("not predicted"));
}

}  // namespace
}  // namespace ridge
