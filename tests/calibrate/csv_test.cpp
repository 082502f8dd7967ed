#include "calibrate/csv.h"

#include <gmock/gmock.h>

#include "calibrate/csv_calls.h"
#include "kernels/core/error.h"

namespace ridge {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refused(const std::string& text) {
  try {
    calls_of(parse_csv(text, "in.csv"), "in.csv");
  } catch (const BadInput& e) {
    return e.what();
  }
  return "no BadInput";
}

Call only(const std::string& text) {
  const auto calls = calls_of(parse_csv(text, "in.csv"), "in.csv");
  EXPECT_EQ(calls.size(), 1u);
  return calls.at(0).call;
}

TEST(Csv, ReadsQuotesLineEndsAndAMark) {
  const Csv csv =
      parse_csv("\xEF\xBB\xBFop,note\r\n\r\ngemm,\"a, \"\"b\"\"\nc\"\r\nadd,\r\nmul,last", "x");
  EXPECT_THAT(csv.header, ElementsAre("op", "note"));
  ASSERT_EQ(csv.rows.size(), 3u);
  EXPECT_THAT(csv.rows[0], ElementsAre("gemm", "a, \"b\"\nc"));
  EXPECT_THAT(csv.rows[1], ElementsAre("add", ""));
  EXPECT_THAT(csv.rows[2], ElementsAre("mul", "last"));
  EXPECT_THAT(csv.lines, ElementsAre(3u, 5u, 6u));
}

TEST(Csv, WrittenLinesReadBack) {
  const std::vector<std::string> fields{"plain", "a,b", "say \"x\"", "two\nlines", ""};
  EXPECT_EQ(parse_csv("a,b,c,d,e\n" + csv_line(fields), "x").rows.at(0), fields);
}

TEST(CsvFaults, Shape) {
  EXPECT_THAT(refused(""), HasSubstr("in.csv: is empty"));
  EXPECT_THAT(refused("\n\n"), HasSubstr("is empty"));
  EXPECT_THAT(refused("op,dtype,m,n,k\n"), HasSubstr("no rows"));
  EXPECT_THAT(refused("op,dtype,m,n,k\ngemm,f32,1,2,3\ngemm,f32,1,2\n"),
              AllOf(HasSubstr("line 3 (row 2)"), HasSubstr("4 fields"), HasSubstr("5")));
  EXPECT_THAT(refused("op,dtype,m,m\ngemm,f32,1,2\n"), HasSubstr("'m' is there twice"));
  EXPECT_THAT(refused("op,dtype,\ngemm,f32,1\n"), HasSubstr("no name"));
  EXPECT_THAT(refused("op,dtype\n\"gemm,f32\n"), HasSubstr("never closed"));
  EXPECT_THAT(refused("op,dtype\n\"gemm\"x,f32\n"), HasSubstr("line 2: text after a closing"));
  EXPECT_THAT(refused("op,dtype\nge\"mm,f32\n"), HasSubstr("a quote inside"));
  EXPECT_THAT(refused(std::string("op,dtype\ng\0emm,f32\n", 19)), HasSubstr("NUL"));
}

TEST(CsvFaults, Cells) {
  const std::string head = "op,dtype,m,n,k,latency_us\n";
  const auto row = [&](const std::string& r) { return refused(head + "gemm,f32,1,2,3,\n" + r); };
  for (const char* bad :
       {"nan", "NaN", "inf", "1e30", "1.5", "-", "12x", "0x10", "99999999999999999999999"})
    EXPECT_THAT(row("gemm,f32," + std::string(bad) + ",2,3,\n"),
                AllOf(HasSubstr("line 3 (row 2), column 'm'"), HasSubstr("whole number")))
        << bad;
  EXPECT_THAT(row("gemm,f32,-4,2,3,\n"), AllOf(HasSubstr("column 'm'"), HasSubstr("-4")));
  EXPECT_THAT(row("gemm,f32,0,2,3,\n"), HasSubstr("column 'm'"));
  EXPECT_THAT(row("gemm,f32,999999999999,2,3,\n"), HasSubstr("column 'm'"));
  EXPECT_THAT(row("gemm,f32,,2,3,\n"), HasSubstr("column 'm': is empty"));
  EXPECT_THAT(row("teleport,f32,1,2,3,\n"),
              AllOf(HasSubstr("row 2), column 'op'"), HasSubstr("teleport")));
  EXPECT_THAT(row("gemm,f12,1,2,3,\n"), AllOf(HasSubstr("column 'dtype'"), HasSubstr("f12")));
  EXPECT_THAT(row("gemm,int32,1,2,3,\n"), HasSubstr("does not come in int32"));
  for (const char* bad : {"nan", "-1", "0", "fast", "1e999"})
    EXPECT_THAT(row("gemm,f32,1,2,3," + std::string(bad) + "\n"), HasSubstr("'latency_us'")) << bad;
  EXPECT_THAT(refused("op,m,n,k\ngemm,1,2,3\n"), HasSubstr("column 'dtype' is missing"));
  EXPECT_THAT(refused("op,dtype,m,n\ngemm,f32,1,2\n"), HasSubstr("column 'k': is missing"));
}

TEST(CsvCalls, TakesOtherNames) {
  EXPECT_EQ(only("op,dtype,k,n,m\nLinear_GEMM,fp16,3,2,1\n"),
            (Call{.op = "gemm", .dims = {1, 2, 3}, .dtype = Dtype::kF16}));
  // As table programs write integers beside empty cells.
  EXPECT_EQ(only("op,dtype,m,n,k,cols\ngemm,float32,1.0,2.00,3.,\n").dims,
            (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(only("op,dtype,batch,seq,hidden,ffn\nswiglu_mlp,fp16,2,512,64,128\n").dims,
            (std::vector<int64_t>{1024, 64, 128}));
  EXPECT_THAT(refused("op,dtype,batch,seq,hidden,ffn\nswiglu_mlp,fp16,4611686018427387904,4,1,1\n"),
              HasSubstr("beyond range"));
  const auto with_latency =
      calls_of(parse_csv("op,dtype,rows,cols,latency_us\nrmsnorm,f32,4,8,12.5\n", "x"), "x");
  EXPECT_DOUBLE_EQ(with_latency.at(0).latency_s.value(), 12.5e-6);
}

TEST(CsvCalls, TellWhatRanThem) {
  const auto rows = calls_of(
      parse_csv("op,dtype,implementation,framework,rows,cols\n"
                "rmsnorm_eager,f32,,torch,4,8\nrmsnorm,f32,ridge,torch,4,8\nrmsnorm,f32,,,4,8\n",
                "x"),
      "x");
  EXPECT_EQ(implementation_of(rows.at(0)), "torch/unfused");
  EXPECT_EQ(rows.at(0).call.op, "rmsnorm");
  EXPECT_EQ(implementation_of(rows.at(1)), "ridge");
  EXPECT_EQ(implementation_of(rows.at(2)), "");
}

}  // namespace
}  // namespace ridge
