#include "roofline/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ridge {
namespace {

bool starts_with(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

std::string flops(double value) {
  return value >= 1e12 ? fmt::format("{:.2f} TFLOP/s", value / 1e12)
                       : fmt::format("{:.1f} GFLOP/s", value / 1e9);
}

// Digits for three figures: "0.95", "14.2", "612".
std::string figures(double value) {
  return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::string bytes(double value) {
  if (value >= 1 << 30) return figures(value / (1 << 30)) + " GiB";
  if (value >= 1 << 20) return figures(value / (1 << 20)) + " MiB";
  return figures(value / 1024) + " KiB";
}

std::string duration(double seconds) {
  return seconds < 1e-6 ? figures(seconds * 1e9) + " ns" : figures(seconds * 1e6) + " us";
}

std::string percent(double share) { return share > 0 ? fmt::format("{:.0f} %", 100 * share) : "-"; }

std::string arithmetic(const Ceilings& c, Length length) {
  std::string text = fmt::format("{:<26} {:>14} {:>8} {:>8}  {}\n", "arithmetic", "measured",
                                 "of sheet", "of clock", "by");
  for (const auto& [key, v] : c.values) {
    if (!starts_with(key, "matrix.") && !starts_with(key, "vector.")) continue;
    const bool way = std::count(key.begin(), key.end(), '.') > 1;
    if (way && length == Length::kShort) continue;
    text += fmt::format("{:<26} {:>14} {:>8} {:>8}{} {:.19}\n", (way ? "  " : "") + key,
                        flops(v.value), percent(v.of_datasheet), percent(v.of_clock),
                        v.verdict == Verdict::kOutside ? "!" : " ", v.method);
  }
  return text;
}

std::string memory(const Ceilings& c) {
  std::string text = fmt::format("{:<26} {:>8} {:>8} {:>8} {:>8} {:>8}   GB/s\n", "memory", "read",
                                 "write", "copy", "scale", "triad");
  const auto row = [&](const std::string& level, const std::string& title) {
    std::string line = fmt::format("{:<26}", title);
    bool any = false;
    for (const char* kind : {".read", ".write", ".copy", ".scale", ".triad"}) {
      const auto it = c.values.find(level + kind);
      any = any || it != c.values.end();
      line += fmt::format(" {:>8}", it == c.values.end() ? "-" : figures(it->second.value / 1e9));
    }
    if (any) text += line + "\n";
  };
  row("shared", "shared");
  for (const Level& level : c.levels)
    row(level.name,
        fmt::format("{}, {}{}", level.name, bytes(level.bytes), level.per_unit ? " in all" : ""));
  row("dram", "dram");
  const auto read = c.values.find("dram.read");
  if (read != c.values.end() && read->second.of_datasheet > 0)
    text += fmt::format("  dram.read is {} of the datasheet\n", percent(read->second.of_datasheet));
  std::string mixes;
  for (const char* ratio : {"1:3", "1:2", "2:1", "3:1"})
    if (const auto it = c.values.find(std::string("dram.mix_") + ratio); it != c.values.end())
      mixes += fmt::format("  {} {}", ratio, figures(it->second.value / 1e9));
  if (!mixes.empty()) text += fmt::format("  dram, read:write mixes{} GB/s\n", mixes);
  if (const auto it = c.values.find("dram.turnaround"); it != c.values.end())
    text += fmt::format("  turning between reads and writes costs up to {}\n",
                        percent(it->second.value));
  return text;
}

// Rates that no level or pipe has: copies between host and device, small copies.
std::string other_rates(const Ceilings& c) {
  std::string text;
  const auto fixed = c.values.find("small_copy.fixed"), rate = c.values.find("small_copy.rate");
  if (fixed != c.values.end() && rate != c.values.end())
    text += fmt::format("  small copies take {} + bytes / {} GB/s\n", duration(fixed->second.value),
                        figures(rate->second.value / 1e9));
  for (const Sweep& s : c.sweeps) {
    if (!starts_with(s.key, "host_copy.")) continue;
    double best = 0;
    for (const auto& [bytes_, value] : s.points) best = std::max(best, value);
    text += fmt::format("  {:<32} {:>8} GB/s\n", s.key, figures(best / 1e9));
  }
  return text;
}

std::string times(const Ceilings& c, Length length) {
  std::string text = fmt::format("{:<26} {:>14}  {}\n", "times", "measured", "by");
  for (const auto& [key, v] : c.values)
    if (v.unit == "s" && (length == Length::kLong || starts_with(key, "launch.")))
      text += fmt::format("{:<26} {:>14}  {:.37}\n", key, duration(v.value), v.method);
  if (const auto it = c.values.find("clock"); it != c.values.end())
    text += fmt::format("{:<26} {:>10.2f} GHz  chain of additions\n", "clock, measured",
                        it->second.value / 1e9);
  return text;
}

std::string ridges(const Ceilings& c) {
  std::vector<std::string> levels;
  std::map<std::string, std::map<std::string, double>> rows;
  for (const RidgePoint& r : ridge_points(c)) {
    if (std::find(levels.begin(), levels.end(), r.level) == levels.end()) levels.push_back(r.level);
    rows[r.pipe][r.level] = r.intensity;
  }
  std::string text = fmt::format("{:<26}", "ridge points");
  for (const std::string& level : levels) text += fmt::format(" {:>9}", level);
  text += "   flop/byte\n";
  for (const auto& [pipe, points] : rows) {
    text += fmt::format("{:<26}", pipe);
    for (const std::string& level : levels)
      text += fmt::format(" {:>9}", points.count(level) ? figures(points.at(level)) : "-");
    text += "\n";
  }
  return text;
}

std::string staircases(const Ceilings& c) {
  std::string text;
  for (const Staircase& s : c.staircases) {
    if (s.tile <= 0)
      text += s.sweep + ": no steps stand out of the noise\n";
    else if (s.wave <= 0)
      text += fmt::format("{}: tiles of {:.0f}, no waves\n", s.sweep, s.tile);
    else if (s.wave_tiles <= 0)
      text += fmt::format("{}: tiles of {:.0f}, a wave each {:.0f}\n", s.sweep, s.tile, s.wave);
    else
      text += fmt::format("{}: tiles of {:.0f}, a wave each {:.0f}: {:.0f} tiles\n", s.sweep,
                          s.tile, s.wave, s.wave_tiles);
  }
  return text;
}

}  // namespace

std::string ceilings_text(const Ceilings& c, Length length) {
  std::string text =
      arithmetic(c, length) + "\n" + memory(c) + other_rates(c) + "\n" + times(c, length);
  if (length == Length::kShort) return text;
  text += "\n" + ridges(c);
  if (!c.staircases.empty()) text += "\n" + staircases(c);
  const bool outside = std::any_of(c.values.begin(), c.values.end(), [](const auto& v) {
    return v.second.verdict == Verdict::kOutside;
  });
  if (outside) text += "\n! outside the range that is known for this part: measure again\n";
  for (const std::string& note : c.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace ridge
