// speed_benchmark: a whole Llama on this project's own kernels, measured.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "kernels/core/json_file.h"
#include "kernels/core/run_main.h"
#include "profilers/llama/speed_report.h"
#include "profilers/llama/tokenizer.h"
#include "profilers/llama/trace.h"
#include "programs/cli.h"
#include "programs/draw_charts.h"
#include "programs/open_gpu.h"
#include "programs/origin.h"
#include "programs/speed_model.h"
#include "programs/speed_room.h"
#include "programs/speed_table.h"

namespace {

using namespace ridge;
namespace fs = std::filesystem;

struct Options {
  std::string model_path, model_name = "llama-3.2-1b", device = "auto", dtype, prompt;
  std::string weights = "native";
  int64_t layers = 0, max_seq_len = 2048, max_gen_len = 100, batch = 1, sweep = 0;
  std::vector<int64_t> prompt_lengths{32, 128, 512};
  int repeats = 3;
  uint64_t seed = 1;
  std::string output_dir = "./benchmark_results";
  bool profile = false, validate = false, no_graph = false, json = false, no_charts = false;
  SpeedTableOptions table;
};

// With --prompt: its tokens, and what reads those that follow.
struct Text {
  Tokenizer tokenizer;
  std::vector<Token> tokens;
};

std::optional<Text> text_of(const Options& o, const SpeedModel& m) {
  if (o.prompt.empty()) return std::nullopt;
  if (m.folder.empty())
    throw BadInput("--prompt: text needs a model with weights: give its folder with --model-path");
  OpenedTokenizer opened = Tokenizer::open(m.folder);
  if (!opened.tokenizer) throw BadInput("--prompt: " + opened.why_not);
  std::vector<Token> tokens = opened.tokenizer->encode(o.prompt);
  if (tokens.empty()) throw BadInput("--prompt: the text has no tokens");
  if (static_cast<int64_t>(tokens.size()) + o.max_gen_len > o.max_seq_len)
    throw BadInput(
        fmt::format("--prompt: its {} tokens and {} generated ones are beyond "
                    "--max-seq-len {}",
                    tokens.size(), o.max_gen_len, o.max_seq_len));
  return Text{std::move(*opened.tokenizer), std::move(tokens)};
}

std::vector<SpeedTest> tests_of(const Options& o) {
  static constexpr const char* kNames[] = {"short", "medium", "long"};
  std::vector<SpeedTest> tests;
  if (!o.prompt.empty()) return tests;  // a text has a length of its own
  for (std::size_t i = 0; i < o.prompt_lengths.size(); ++i) {
    const int64_t prompt = o.prompt_lengths[i];
    if (prompt + o.max_gen_len > o.max_seq_len)
      throw BadInput(
          fmt::format("--prompt-lengths {}: with {} generated tokens it is beyond --max-seq-len {}",
                      prompt, o.max_gen_len, o.max_seq_len));
    tests.push_back(
        {.name = o.prompt_lengths.size() == 3 ? kNames[i] : fmt::format("{} in", prompt),
         .prompt = prompt,
         .output = o.max_gen_len,
         .batch = o.batch});
  }
  return tests;
}

Dtype dtype_of(const Options& o, const DeviceInfo& device) {
  const Dtype dtype =
      o.dtype.empty() ? (device.kind == "cpu" ? Dtype::kF32 : Dtype::kBf16) : parse_dtype(o.dtype);
  if (dtype != Dtype::kF32 && dtype != Dtype::kF16 && dtype != Dtype::kBf16)
    throw BadInput("--dtype " + o.dtype + ": float32, float16 and bfloat16 are run");
  if (device.kind == "cpu" && dtype != Dtype::kF32)
    throw BadInput("--dtype " + o.dtype + ": the CPU's kernels are float32 only");
  return dtype;
}

WeightFormat format_of(const Options& o) {
  return o.weights == "int8" ? WeightFormat::kInt8 : WeightFormat::kNative;
}

// `kind` of device, or what was asked for before it is known.
void check_weights(const Options& o, std::string_view kind) {
  if (format_of(o) == WeightFormat::kInt8 && kind.starts_with("cuda"))
    throw BadInput("--weights int8: are run on the CPU only; take --device cpu, or native weights");
}

// Batch sizes 1, 2, 4, … up to what was asked for, or what memory has room for.
std::vector<SpeedResult> sweep(Decoder& decoder, const Options& o, const SpeedTest& like) {
  std::vector<SpeedResult> results;
  for (int64_t batch = 1; batch <= decoder.limits().sequences && batch <= o.sweep; batch *= 2) {
    SpeedTest test = like;
    test.name = fmt::format("batch {}", batch);
    test.batch = batch;
    fmt::print(stderr, "sweep: batch {}\n", batch);
    results.push_back(
        run_speed_test(decoder, test, {.repeats = o.repeats, .profile = false, .seed = o.seed}));
  }
  return results;
}

void validate(SpeedReport& report, const Decoder& decoder, const DelayTable& table,
              const std::string& name) {
  const TableSet tables({{name, table}});
  for (const SpeedResult& r : report.tests)
    report.validations.push_back(validate_speed(tables, decoder, r));
  for (const SpeedResult& r : report.sweep)
    report.sweep_predicted.push_back(validate_speed(tables, decoder, r));
}

void write_profile(const SpeedReport& report, const Decoder& decoder,
                   const std::optional<Ceilings>& ceilings, const fs::path& folder,
                   std::vector<std::string>& found) {
  std::string text;
  for (const SpeedResult& r : report.tests) {
    const auto stats = operator_stats(r.profile, ceilings);
    text += fmt::format("== {}: {} sequences of {} in, {} out ==\n\n", r.test.name, r.test.batch,
                        r.test.prompt, r.test.output) +
            stats_text(stats, r.profile) + "\n";
    if (&r != &report.tests.back()) continue;
    found = findings(stats, r.profile);
    found.push_back(fmt::format("profiled, the run takes {:+.1f} % of its time without",
                                100 * (r.profile.total_s() / r.total_s.median - 1)));
  }
  write_file(folder / "profiler_stats.txt", text);
  write_json(folder / "profiler_trace.json", chrome_trace(report.tests, decoder));
}

SpeedReport measure(const Options& o, Backend& backend, const SpeedModel& m,
                    const std::optional<SpeedTable>& table, const fs::path& folder) {
  const std::optional<Text> text = text_of(o, m);
  std::vector<SpeedTest> tests = tests_of(o);
  if (text)
    tests = {{.name = "text",
              .prompt = static_cast<int64_t>(text->tokens.size()),
              .output = o.max_gen_len,
              .batch = o.batch}};
  const Dtype dtype = dtype_of(o, backend.device());
  const WeightFormat format = format_of(o);
  const Decoder::Limits limits =
      limits_of({.tests = tests, .sweep = o.sweep, .graphs = !o.no_graph, .weights = format},
                backend, m.model, dtype);
  const int64_t free_before = backend.free_memory_bytes();
  fmt::print(stderr, "loading {} ({:.2f} billion parameters, {}{})\n", m.model.name,
             parameters(m.model) * 1e-9, name(dtype),
             format == WeightFormat::kInt8 ? ", int8 weights" : "");
  const auto source =
      m.folder.empty() ? random_weights(m.model, o.seed) : weights_of_folder(m.model, m.folder);
  Decoder decoder(backend, m.model, m.numerics,
                  put_on_device(backend, m.model, dtype, *source, format), limits);
  SpeedReport report{.device = backend.device(),
                     .model = m.model,
                     .dtype = dtype,
                     .weights = source->description(),
                     .weight_format = format,
                     .graphs = !o.no_graph && backend.table_method() == Method::kGraph,
                     .bytes = decoder.bytes()};
  for (const SpeedTest& test : tests) {
    fmt::print(stderr, "test: {} tokens in, {} out, batch {}\n", test.prompt, test.output,
               test.batch);
    std::vector<std::vector<Token>> prompts;
    if (text) prompts.assign(static_cast<std::size_t>(o.batch), text->tokens);
    report.tests.push_back(run_speed_test(
        decoder, test, {.repeats = o.repeats, .profile = o.profile || o.validate, .seed = o.seed},
        std::move(prompts)));
  }
  if (text) {
    std::vector<Token> whole = text->tokens;
    const std::vector<Token>& generated = report.tests[0].runs[0].tokens[0];
    whole.insert(whole.end(), generated.begin(), generated.end());
    report.text = text->tokenizer.decode(whole);
  }
  if (o.sweep > 0) report.sweep = sweep(decoder, o, tests.front());
  report.peak = peak_memory(backend, free_before);
  if (o.validate) validate(report, decoder, table->table, table->path);
  if (o.profile) {
    const auto ceilings = table ? std::optional(table->table.ceilings) : std::nullopt;
    write_profile(report, decoder, ceilings, folder, report.findings);
  }
  return report;
}

int speed_benchmark(const Options& o, const std::map<std::string, std::string>& origin) {
  const fs::path folder = o.output_dir, path = folder / "benchmark_results.json";
  check_writable(path);  // before minutes are spent
  const SpeedModel model = find_speed_model(o.model_path, o.model_name, o.layers);
  (void)tests_of(o);
  check_weights(o, o.device);
  const auto backend = open_gpu(o.device == "cuda" ? "cuda:0" : o.device);
  (void)dtype_of(o, backend->device());
  check_weights(o, backend->device().kind);
  std::optional<SpeedTable> table;
  SpeedTableOptions wanted = o.table;
  wanted.weights = format_of(o);
  if (o.validate || !o.table.path.empty()) table = speed_table(*backend, wanted, folder, origin);
  SpeedReport report = measure(o, *backend, model, table, folder);
  report.provenance = report.device.provenance;
  report.provenance.insert(origin.begin(), origin.end());
  if (table) report.provenance["table"] = table->path;
  const nlohmann::json j = speed_json(report);
  if (const std::string errors = speed_schema_errors(j); !errors.empty())
    throw std::runtime_error("the results break their schema: " + errors);
  write_json(path, j);
  if (o.json)
    fmt::print("{}\n", j.dump());
  else
    fmt::print("\n{}\nresults: {}\n", speed_text(report), path.string());
  if (o.profile && !o.json)
    fmt::print("profile: {}, and profiler_trace.json beside it for\n         ui.perfetto.dev\n",
               (folder / "profiler_stats.txt").string());
  if (o.sweep > 0 && !o.no_charts)
    draw_charts("plot_benchmark", {path.string(), "--out", (folder / "charts").string()});
  return 0;
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"Runs a whole Llama on Ridgepoint's own kernels and measures it."};
  app.add_option("--model-path", o.model_path,
                 "folder with config.json, and weights (safetensors) if there are any; without "
                 "it LLAMA_MODEL_PATH");
  app.add_option("--model-name", o.model_name,
                 "bundled model, with random weights, or one that huggingface-cli has")
      ->capture_default_str();
  app.add_option("--layers", o.layers, "only so many layers, of random weights")
      ->check(CLI::Range(1, 1000));
  app.add_option("--device", o.device, "cuda, cpu, auto, cuda:N")->capture_default_str();
  app.add_option("--dtype", o.dtype, "float32, float16 or bfloat16 (GPU bfloat16, CPU float32)");
  app.add_option("--weights", o.weights,
                 "of the layers' products: native, or int8 with a scale for each row (CPU)")
      ->check(CLI::IsMember({"native", "int8"}))
      ->capture_default_str();
  app.add_option("--max-seq-len", o.max_seq_len, "tokens of a prompt and what follows it")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_option("--max-gen-len", o.max_gen_len, "tokens to generate")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "sequences at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--prompt-lengths", o.prompt_lengths, "of the tests, in tokens")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--prompt", o.prompt,
                 "run this text instead, and print what follows it: needs weights and their "
                 "tokenizer.model");
  app.add_option("--repeats", o.repeats, "of each test, after one that warms up")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--sweep", o.sweep,
                 "measure batches 1, 2, 4, … up to this, or as memory allows, with the first "
                 "prompt length")
      ->check(CLI::Range(1, 65536));
  app.add_option("--output-dir", o.output_dir, "folder of the results")->capture_default_str();
  app.add_flag("--profile", o.profile, "time every operator: statistics and a trace");
  app.add_flag("--validate", o.validate, "predict this run, and print it beside what was measured");
  app.add_option("--table", o.table.path, "delay factors of this machine, to predict with");
  app.add_option("--calibration-budget", o.table.budget,
                 "without --table: time to measure one (CPU 2m, GPU 5m)");
  app.add_flag("--no-graph", o.no_graph, "decode launch by launch, not as a CUDA graph");
  app.add_option("--seed", o.seed, "of random weights and prompts")->capture_default_str();
  app.add_flag("--json", o.json, "print the results as JSON");
  app.add_flag("--no-charts", o.no_charts, "draw nothing");
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return speed_benchmark(o, origin_of("speed_benchmark", argc, argv));
}

}  // namespace

int main(int argc, char** argv) {
  return ridge::run_main([&] { return run(argc, argv); });
}
