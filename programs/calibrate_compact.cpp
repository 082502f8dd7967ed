#include "programs/calibrate_compact.h"

#include <fmt/format.h>

#include <filesystem>

#include "calibrate/compact_table.h"

namespace ridge {

CLI::App* CompactCommand::add_to(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("compact", "make a table of many samples small, to ship or send it");
  sub->add_option("--table", table, "the table")->required();
  sub->add_option("--out", out, "the small one: a file .json")->required();
  return sub;
}

int CompactCommand::run() const {
  const DelayTable large = load_table(table), small = compact_table(large);
  save_table(small, out);
  fmt::print("{:<40} {:>8} {:>11} {:>11}\n", "operator", "calls", "error was", "error is");
  for (std::size_t i = 0; i < small.curves.size(); ++i) {
    const Curve& c = small.curves[i];
    fmt::print("{:<40.40} {:>8} {:>9.1f} % {:>9.1f} %\n",
               fmt::format("{} {} {}", c.op, name(c.dtype), c.implementation), c.count,
               100 * large.curves[i].cv_mean_error, 100 * c.cv_mean_error);
  }
  const auto size = [](const std::string& file) {
    return static_cast<double>(std::filesystem::file_size(file)) / 1e6;
  };
  fmt::print("\n{}: {:.2f} MB of {:.2f}, {} samples of {}\n", out, size(out), size(table),
             small.samples.size(), large.samples.size());
  return 0;
}

}  // namespace ridge
