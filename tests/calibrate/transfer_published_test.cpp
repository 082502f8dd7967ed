// How far delays that were transferred from published GPUs are from what others measured on one
// that was left out. Skips where the data is absent.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "calibrate/import_faults.h"
#include "calibrate/transfer.h"
#include "predictor/predict_call.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  const char* asked = std::getenv("RIDGE_PUBLISHED_DATA");
  return asked ? fs::path(asked) : fs::path(RIDGE_SOURCE_DIR).parent_path() / "shared/data/open";
}

// Its samples alone: curves of its own would only take time.
NamedTable read(const std::string& gpu, const std::string& family) {
  const DeviceSpec spec = find_device(gpu).value();
  DelayTable t{.device = device_info(spec), .ceilings = datasheet_ceilings(spec)};
  t.method = Method::kGraph;
  const fs::path file = data_folder() / ("aic__" + gpu + "__" + family + ".csv");
  std::ifstream in(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  ImportedRows rows;
  add_rows(
      text, file.string(),
      {.device = spec, .framework = "vllm", .dtype = Dtype::kBf16, .points = 0, .provenance = {}},
      rows);
  std::vector<ImportedCall> calls = merge_repeats(rows.rows, t.notes);
  label_spikes(calls, t.notes);
  for (const ImportedCall& c : calls) {
    Measurement m;
    m.call = c.call;
    m.method = Method::kGraph;
    m.samples_s = c.latencies_s;
    m.labels = c.labels;
    if (const auto s = sample_of(t.ceilings, t.device, m)) t.samples.push_back(*s);
  }
  return {file.string(), std::move(t)};
}

struct Target {
  const char* gpu;
  const char* family;
  double mean_limit;  // of |predicted / measured − 1|
};

class TransferPublished : public testing::TestWithParam<Target> {};

TEST_P(TransferPublished, ErrorOnAGpuLeftOut) {
  const Target& target = GetParam();
  if (!fs::exists(data_folder())) GTEST_SKIP() << data_folder() << " is absent";
  std::vector<NamedTable> sources;
  for (const char* gpu : {"A100-SXM-80GB", "L40S", "H100-SXM", "H200-SXM"})
    if (gpu != std::string(target.gpu)) sources.push_back(read(gpu, target.family));
  const DelayTable truth = read(target.gpu, target.family).table;
  const DelayTable t = transfer_table(sources, {truth.device, truth.ceilings}, {});
  double error = 0;
  double inside = 0;
  for (const Sample& s : truth.samples) {
    const Prediction p = predict_call(t, s.call);
    error += std::abs(p.seconds / s.median_s - 1);
    inside += p.low_s <= s.median_s && s.median_s <= p.high_s;
  }
  const auto n = static_cast<double>(truth.samples.size());
  std::printf("%s %s: mean error %.1f %%, %.0f %% within low-high\n", target.gpu, target.family,
              100 * error / n, 100 * inside / n);
  EXPECT_LT(error / n, target.mean_limit);
  EXPECT_GT(inside / n, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Gpus, TransferPublished,
                         testing::Values(Target{"H200-SXM", "gemm", 0.08},
                                         Target{"H200-SXM", "attention_prefill", 0.09},
                                         Target{"H200-SXM", "attention_decode", 0.08},
                                         Target{"A100-SXM-80GB", "gemm", 0.15},
                                         Target{"A100-SXM-80GB", "attention_prefill", 0.16},
                                         Target{"A100-SXM-80GB", "attention_decode", 0.18}),
                         [](const auto& one) {
                           std::string name = std::string(one.param.gpu) + "_" + one.param.family;
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace ridge
