#include "predictor/scenarios/scenarios.h"

#include <gmock/gmock.h>

#include <atomic>

#include "kernels/core/error.h"
#include "tests/predictor/request/made_up.h"

namespace ridge {
namespace {

using ::testing::HasSubstr;

TableSet tables_of(const std::string& gpu) {
  if (gpu != "made-up") throw BadInput("unknown GPU '" + gpu + "'");
  return made_up::tables({}, {{"gemm", 1.3, 0.1}});
}

Scenarios predict(const std::string& text, int64_t tensor = 1) {
  return predict_scenarios(
      parse_csv(text, "s.csv"), "s.csv",
      {.engine = find_engine("kernels"), .tensor = tensor, .tables = tables_of});
}

Csv written(const std::string& text) {
  return parse_csv(scenarios_csv(parse_csv(text, "s.csv"), predict(text)), "out.csv");
}

std::string cell(const Csv& csv, std::size_t row, const std::string& column) {
  for (std::size_t c = 0; c < csv.header.size(); ++c)
    if (csv.header[c] == column) return csv.rows[row][c];
  ADD_FAILURE() << "no column " << column;
  return {};
}

constexpr const char* kHead =
    "scenario_id,gpu,model,input_length,output_length,batch_size,use_case,description\n";

TEST(Scenarios, AreWhatPredictRequestSays) {
  const Scenarios s = predict(std::string(kHead) + "a,made-up,LLaMA_3.2_1B,512,100,4,chat,x\n");
  ASSERT_EQ(s.predicted.size(), 1u);
  Deployment d = made_up::deployment(find_model("llama-3.2-1b"));  // f16: there is no bf16
  const Request r{.prompts = {{.count = 4, .tokens = 512}}, .output = 100};
  const RequestPrediction p = predict_request(tables_of("made-up"), d, r);
  EXPECT_EQ(s.predicted[0].dtype, Dtype::kF16);
  EXPECT_EQ(s.predicted[0].prediction.ttft_s.value, p.ttft_s.value);
  EXPECT_EQ(s.predicted[0].prediction.total_s.high, p.total_s.high);
  EXPECT_EQ(s.predicted[0].memory->total(), memory_of(tables_of("made-up").device(), d, r).total());
}

TEST(Scenarios, KeepTheirColumnsAndGetTwoKindsOfNew) {
  const Csv csv = written(std::string(kHead) + "a,made-up,1b,512,100,4,chat,\"x, y\"\n");
  EXPECT_EQ(cell(csv, 0, "scenario_id"), "a");
  EXPECT_EQ(cell(csv, 0, "description"), "x, y");
  const double total = std::stod(cell(csv, 0, "total_ms"));
  EXPECT_EQ(cell(csv, 0, "predicted_total_ms"), cell(csv, 0, "total_ms"));
  EXPECT_EQ(cell(csv, 0, "predicted_prefill_ms"), cell(csv, 0, "ttft_ms"));
  EXPECT_EQ(cell(csv, 0, "predicted_decode_per_token_ms"), cell(csv, 0, "tpot_ms"));
  EXPECT_NEAR(total, std::stod(cell(csv, 0, "ttft_ms")) + 99 * std::stod(cell(csv, 0, "tpot_ms")),
              1e-4 * total);
  EXPECT_NEAR(std::stod(cell(csv, 0, "predicted_tokens_per_second")), 400 / (total / 1e3),
              1e-4 * 400 / (total / 1e3));
  for (const std::string part : {"ttft_ms", "tpot_ms", "total_ms"}) {
    EXPECT_LE(std::stod(cell(csv, 0, part + "_low")), std::stod(cell(csv, 0, part)));
    EXPECT_GE(std::stod(cell(csv, 0, part + "_high")), std::stod(cell(csv, 0, part)));
  }
  EXPECT_EQ(cell(csv, 0, "fits"), "1");
  EXPECT_THAT(cell(csv, 0, "basis"), HasSubstr("interpolated"));
  EXPECT_THAT(cell(csv, 0, "notes"), HasSubstr("roofline"));
  EXPECT_EQ(cell(csv, 0, "problem"), "");
}

TEST(Scenarios, NeedNoMoreThanFourColumns) {
  const Csv csv = written("model,output_length,gpu,input_length\n1b, 2 ,made-up,10\n");
  ASSERT_EQ(csv.rows.size(), 1u);
  EXPECT_EQ(cell(csv, 0, "problem"), "");
}

TEST(Scenarios, RowsThatCannotBePredictedAreRejectedAndTheRestDone) {
  const std::string text = std::string(kHead) +
                           "a,made-up,1b,512,100,4,c,d\n"
                           "b,X9,1b,512,100,4,c,d\n"
                           "c,made-up,gpt-9,512,100,4,c,d\n"
                           "d,made-up,1b,-5,100,4,c,d\n"
                           "e,made-up,1b,512,1.5,4,c,d\n"
                           "f,made-up,1b,512,100,0,c,d\n"
                           "g,made-up,1b,,100,1,c,d\n"
                           "h,made-up,1b,999999999,100,1,c,d\n"
                           "i,made-up,8b,512,100,,c,d\n";
  const Scenarios s = predict(text);
  EXPECT_EQ(s.predicted.size(), 2u);
  EXPECT_EQ(s.predicted[1].row, 8u);
  ASSERT_EQ(s.rejected.size(), 7u);
  const char* said[] = {"X9",
                        "gpt-9",
                        "input_length '-5'",
                        "output_length '1.5'",
                        "batch_size '0'",
                        "input_length ''",
                        "beyond the model's"};
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(s.rejected[i].place, "s.csv:" + std::to_string(i + 3));
    EXPECT_THAT(s.rejected[i].reason, HasSubstr(said[i]));
  }
  const Csv csv = written(text);
  ASSERT_EQ(csv.rows.size(), 9u);
  for (std::size_t row = 0; row < 9; ++row) {
    const bool good = row == 0 || row == 8;
    EXPECT_EQ(cell(csv, row, "problem").empty(), good) << row;
    EXPECT_EQ(cell(csv, row, "total_ms").empty(), !good) << row;
    EXPECT_EQ(cell(csv, row, "scenario_id"), std::string(1, static_cast<char>('a' + row)));
  }
}

TEST(Scenarios, MissingColumnsAreNamed) {
  for (const char* column : {"gpu", "model", "input_length", "output_length"}) {
    std::string head = "gpu,model,input_length,output_length";
    head.replace(head.find(column), std::string(column).size(), "other");
    try {
      predict(head + "\n1,2,3,4\n");
      FAIL() << column;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr(std::string("'") + column + "' is missing"));
      EXPECT_THAT(e.what(), HasSubstr("s.csv"));
    }
  }
}

TEST(Scenarios, PredictingTheirOwnOutputReplacesTheColumns) {
  const std::string text = std::string(kHead) + "a,made-up,1b,512,100,4,c,d\nb,X9,1b,5,1,4,c,d\n";
  const std::string once = scenarios_csv(parse_csv(text, "s.csv"), predict(text));
  EXPECT_EQ(scenarios_csv(parse_csv(once, "o.csv"), predict(once)), once);
}

TEST(Scenarios, OfManyRowsAreInTheirOrderAndEachGpuIsReadOnce) {
  std::string text = kHead;
  for (int i = 0; i < 200; ++i)
    text += "s" + std::to_string(i) + ",made-up,1b," + std::to_string(10 + i) + ",5,1,c,d\n";
  std::atomic<int> loads = 0;
  const Csv csv = parse_csv(text, "s.csv");
  const Scenarios s = predict_scenarios(
      csv, "s.csv",
      {.engine = find_engine("kernels"), .tensor = 2, .tables = [&](const std::string& gpu) {
         ++loads;
         return tables_of(gpu);
       }});
  EXPECT_EQ(loads, 1);
  ASSERT_EQ(s.predicted.size(), 200u);
  for (std::size_t i = 1; i < 200; ++i) {
    EXPECT_EQ(s.predicted[i].row, i);
    EXPECT_GT(s.predicted[i].prediction.ttft_s.value, s.predicted[i - 1].prediction.ttft_s.value);
  }
}

TEST(Scenarios, WhatDoesNotFitIsPredictedAllTheSame) {
  const Csv csv = written(std::string(kHead) + "a,made-up,70b,512,100,1,c,d\n");
  EXPECT_EQ(cell(csv, 0, "fits"), "0");
  EXPECT_GT(std::stod(cell(csv, 0, "total_ms")), 0);
  EXPECT_GT(std::stod(cell(csv, 0, "memory_gb")), std::stod(cell(csv, 0, "usable_gb")));
}

TEST(Scenarios, TheBasisIsByTime) {
  RequestPrediction p;
  p.prefill.roles = {{.seconds = 1, .basis = Basis::kRoofline}};
  p.decode.roles = {{.seconds = 0.27, .basis = Basis::kInterpolated},
                    {.seconds = 0.03, .basis = Basis::kExtrapolated}};
  EXPECT_EQ(basis_text(p, 11), "interpolated 68 %, roofline 25 %, extrapolated 8 %");
  EXPECT_EQ(basis_text(p, 1), "roofline 100 %");
}

}  // namespace
}  // namespace ridge
