#pragma once
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/core/backend.h"
#include "kernels/core/work.h"

namespace ridge {

// Whether a number lies in the range that is known for its part: from 60 % to 102 % of the
// datasheet for bandwidths and peaks. Without a datasheet nobody can tell.
enum class Verdict { kUnknown, kInside, kOutside };
std::string_view name(Verdict v);

// One measured ceiling, in SI units.
struct Ceiling {
  double value = 0;
  std::string unit;         // "flop/s", "byte/s", "s", "Hz", "1"
  std::string method;       // what was run: "gemm m=4096 n=4096 k=4096 f32 [onednn], stream"
  double spread = 0;        // (p90 − p10) / median of its samples
  double of_datasheet = 0;  // value / datasheet; 0 where the datasheet has no such number
  double clock_hz = 0;      // of the device while it was measured; 0 where unknown
  double of_clock = 0;      // value / (lanes × units × measured clock); 0 where lanes are unknown
  Verdict verdict = Verdict::kUnknown;
};

// A level of the memory hierarchy, found as a step in bandwidth against working set.
struct Level {
  std::string name;       // "l1", "l2", "l3"; what lies beyond the last is "dram"
  double bytes = 0;       // that all units together hold
  bool per_unit = false;  // each unit has a part of its own
  bool lasting = true;    // what one call leaves there the next may find: not so in a GPU's L1
  std::string method;     // "working-set sweep", "as the system reports"
};

// y against x. `key` names its place: "working_set.read", "stride.read", "mix", "staircase.m" …
struct Sweep {
  struct Axis {
    std::string name, unit;  // "working set", "byte"
  };
  std::string key, method;
  Axis x, y;
  std::vector<std::pair<double, double>> points;  // in ascending x
};

// Quantisation of a matrix product over one of its dims, read off a staircase.
struct Staircase {
  std::string sweep;  // key of the Sweep
  double tile = 0;    // elements of the dim from one step to the next; 0 where none shows
  double wave = 0;    // elements from one full wave of tiles to the next; 0 where none shows
  // Tiles of one wave: the multiprocessors, where one tile fills one; 0 where the tile of either
  // dim is unknown.
  double wave_tiles = 0;
};

// What the hardware was measured to allow.
struct Ceilings {
  std::string device;
  // Arithmetic, the best of all ways: "vector.f32", "matrix.bf16", …; single ways beside it:
  //   ".loop" ".gemm" ".zeros" ".sustained" ".one_thread" ".avx2" …
  // Memory, per level: "dram.read", "dram.write", "dram.copy", "dram.scale", "dram.triad",
  // "l2.read"
  //   …; "dram.mix_3:1" is three bytes read for each one written.
  // Latency of dependent loads, per level: "latency.l1" …, in seconds.
  // "link": bytes per second that one device sends to others.
  // Overheads: "launch.stream", "launch.graph", "launch.*.independent", "event", "barrier", in s.
  std::map<std::string, Ceiling> values;
  std::vector<Level> levels;  // nearest first, without DRAM; empty where only DRAM was measured
  std::vector<Sweep> sweeps;
  std::vector<Staircase> staircases;
  std::vector<std::string> notes;  // what was left out, disturbed or smaller than wanted, and why
  std::map<std::string, std::string> provenance;
};

// Which resource bounds a call that reaches its ceilings.
enum class Bound { kCompute, kDram, kLaunch, kL1, kL2, kL3, kLink };
std::string_view name(Bound b);  // "compute", "dram", "launch", "l1" …, "link"
// Throws BadInput.
Bound parse_bound(std::string_view text);

// The level in which calls that go over so many bytes find what the calls before left, or "dram".
std::string level_of(const Ceilings& c, double working_set_bytes);

// Time that a level needs for a mix of reads and writes. Measured are all writes, 1:1 (".copy"),
// all reads, and mixes between them (".mix_3:1"). Turning the bus from reads to writes and back
// costs, so 1:1 is slower than its parts; beyond 1:1 a call can copy for a while and then only read
// or write. So time per byte against the share of reads is the lower convex hull on each side of
// 1:1. Throws BadInput that names the missing ceiling.
double memory_seconds(const Ceilings& c, const std::string& level, double bytes_read,
                      double bytes_written);
double dram_seconds(const Ceilings& c, double bytes_read, double bytes_written);

struct Ideal {
  double seconds = 0;  // max over resources of work / ceiling; launch is not in it
  Bound bound = Bound::kDram;
};

// `working_set_bytes`: what the call and those around it touch before it comes round; by default it
// comes from DRAM. Throws BadInput that names the missing ceiling.
Ideal ideal(const Ceilings& c, const Work& work,
            double working_set_bytes = std::numeric_limits<double>::infinity());

// Fixed cost of one launch by that method ("launch.stream", "launch.graph"); 0 where unmeasured.
double launch_seconds(const Ceilings& c, Method method);

// Rate in flop/s that `intensity` flops a byte can reach: min(peak of the pipe, intensity ×
// bandwidth of the level's reads). `pipe` and `level` are keys: "matrix.bf16", "l2". The roofline
// of Williams, Waterman & Patterson, Roofline: an insightful visual performance model, 2009. Throws
// BadInput that names the missing ceiling.
double attainable(const Ceilings& c, double intensity, const std::string& pipe,
                  const std::string& level);

// Where the slanted roof of `level` meets the flat one of `pipe`: below it memory bounds.
struct RidgePoint {
  std::string pipe, level;
  double intensity = 0;  // flop/byte
};
std::vector<RidgePoint> ridge_points(const Ceilings& c);

// What bounds a call, and by how much: the time of that resource over that of the next slower… one.
struct Classification {
  Bound bound = Bound::kDram;
  double margin = 1;  // ≥ 1; near 1 two resources are about equally busy
  double seconds = 0;
};
Classification classify(const Ceilings& c, const Work& work, Method method,
                        double working_set_bytes = std::numeric_limits<double>::infinity());

// All of it, and `values`, `levels`, `staircases` alone: what a table carries along.
nlohmann::json to_json(const Ceilings& c);
nlohmann::json to_short_json(const Ceilings& c);
Ceilings ceilings_from_json(const nlohmann::json& j);       // throws BadInput naming the key
Ceilings load_ceilings(const std::filesystem::path& path);  // throws BadInput naming file and key

}  // namespace ridge
