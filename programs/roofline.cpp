// roofline: every ceiling of this machine, measured, and drawn.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "kernels/core/json_file.h"
#include "kernels/core/run_main.h"
#include "profilers/progress.h"
#include "programs/cli.h"
#include "programs/draw_charts.h"
#include "programs/open_gpu.h"
#include "programs/origin.h"
#include "roofline/measure_roofline.h"
#include "roofline/report.h"

namespace {

using namespace ridge;
namespace fs = std::filesystem;

struct Options {
  std::string gpu = "auto";
  std::string out, table, budget;
  bool quick = false, json = false, no_charts = false;
  uint64_t seed = 1;
};

double budget_of(const Options& options, const DeviceInfo& device) {
  if (!options.budget.empty()) return parse_duration("--budget", options.budget);
  if (options.quick) return 45;
  return device.kind == "cpu" ? 200 : 240;
}

void draw(const fs::path& ceilings, const fs::path& folder, const fs::path& table) {
  std::vector<std::string> words{ceilings.string(), "--out", (folder / "charts").string()};
  if (fs::exists(table)) words.insert(words.end(), {"--table", table.string()});
  draw_charts("plot_roofline", words);
}

int roofline(const Options& options, const std::map<std::string, std::string>& origin) {
  const auto backend = open_gpu(options.gpu);
  const DeviceInfo& device = backend->device();
  const fs::path folder =
      options.out.empty() ? fs::path("results") / device_slug(device) : fs::path(options.out);
  const fs::path path = folder / "ceilings.json";
  check_writable(path);  // before minutes are spent
  SamplerOptions sampling = table_sampling(*backend, options.seed);
  sampling.fastest_possible_s = datasheet_limit(device);
  const double budget_s = budget_of(options, device);
  const auto start = std::chrono::steady_clock::now();
  Ceilings ceilings;
  {
    Progress progress("roofline", budget_s);
    ceilings = measure_roofline(
        *backend, sampling, options.quick ? Depth::kQuick : Depth::kFull, budget_s,
        [&](double share, const std::string& what) { progress.update(share * budget_s, what); });
  }
  const double spent_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ceilings.provenance.insert(origin.begin(), origin.end());
  const nlohmann::json written = to_json(ceilings);
  (void)ceilings_from_json(written);  // by its schema
  write_json(path, written);
  if (options.json)
    fmt::print("{}\n", written.dump());
  else
    fmt::print("\n{} · {:.0f} s\n\n{}\nceilings: {}\n", ceilings.device, spent_s,
               ceilings_text(ceilings, Length::kLong), path.string());
  if (!options.no_charts)
    draw(path, folder,
         options.table.empty() ? folder / "delay_factors.json" : fs::path(options.table));
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures every ceiling of this machine: peaks, bandwidths, latencies, overheads."};
  app.add_option("--gpu", options.gpu, "auto, cpu, cuda:N or a GPU's name")->capture_default_str();
  app.add_flag("--quick", options.quick, "within a minute: what ideal times need, no patterns");
  app.add_option("--budget", options.budget, "time to spend (quick 45s, GPU 240s, CPU 200s)");
  app.add_option("--out", options.out, "folder of the results (default results/<device>)");
  app.add_option("--table", options.table, "delay factors to plot (default: of the same folder)");
  app.add_option("--seed", options.seed, "of random values")->capture_default_str();
  app.add_flag("--json", options.json, "print the ceilings as JSON instead of tables");
  app.add_flag("--no-charts", options.no_charts, "draw nothing");
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return roofline(options, origin_of("roofline", argc, argv));
}

}  // namespace

int main(int argc, char** argv) {
  return ridge::run_main([&] { return run(argc, argv); });
}
