#pragma once
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kernels/core/backend.h"
#include "kernels/core/work.h"

namespace ridge {

// One measured ceiling, in SI units (flop/s or byte/s).
struct Ceiling {
  double value = 0;
  std::string unit;    // "flop/s", "byte/s", "s"
  std::string method;  // what was run: "gemm m=4096 n=4096 k=4096 f32 [onednn], stream"
  double spread = 0;   // (p90 − p10) / median of its samples
};

// What the hardware was measured to allow.
struct Ceilings {
  std::string device;
  // Arithmetic: "vector.f32", "matrix.bf16", … Memory: "dram.read", "dram.write", "dram.copy",
  // "dram.triad". Overheads: "launch.stream", "launch.graph".
  std::map<std::string, Ceiling> values;
  std::map<std::string, std::string> provenance;
};

// Which resource bounds a call that reaches its ceilings.
enum class Bound { kCompute, kDram, kLaunch };
std::string_view name(Bound b);

struct Ideal {
  double seconds = 0;  // max over resources of work / ceiling; launch is not in it
  Bound bound = Bound::kDram;
};

// Bandwidth that a mix of reads and writes can reach: pure reads are held against dram.read, pure
// writes against dram.write, a 1:1 mix against dram.copy, linear in time between.
double dram_seconds(const Ceilings& c, double bytes_read, double bytes_written);

// Throws BadInput that names the missing ceiling.
Ideal ideal(const Ceilings& c, const Work& work);

// Fixed cost of one launch by that method ("launch.stream", "launch.graph"); 0 where unmeasured.
double launch_seconds(const Ceilings& c, Method method);

nlohmann::json to_json(const Ceilings& c);
Ceilings ceilings_from_json(const nlohmann::json& j);       // throws BadInput naming the key
Ceilings load_ceilings(const std::filesystem::path& path);  // throws BadInput naming file and key

}  // namespace ridge
