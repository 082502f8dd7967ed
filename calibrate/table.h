#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/curve.h"
#include "kernels/core/backend.h"
#include "profilers/measurement.h"
#include "roofline/ceilings.h"

namespace ridge {

class DelayModel;

// Label of an isolated outlier: a sample that curves are not fitted to.
inline constexpr const char* kSpike = "spike";

// Label of a call that was drawn at random, not because something was to be learned there: how far
// a curve is off such calls is how far it is off any.
inline constexpr const char* kControl = "control";

// One measured call, to the digits that a file keeps (sample_json.h). Repeats of a call by the same
// method are one sample.
struct Sample {
  Call call;
  Method method = Method::kStream;
  double median_s = 0, p10_s = 0, p90_s = 0;
  std::size_t count = 0;
  double ideal_s = 0;
  double delay_factor = 0;  // median_s / ideal_s; below 1 is kept: it shows a wrong ceiling
  Bound bound = Bound::kDram;
  std::vector<std::string> labels;

  friend bool operator==(const Sample&, const Sample&) = default;
};

bool has_label(const Sample& s, std::string_view label);

// Fixed cost of a launch, part of the ceilings: on a stream and as a node of a graph.
struct LaunchCost {
  double stream_s = 0, graph_s = 0;
  friend bool operator==(const LaunchCost&, const LaunchCost&) = default;
};

// One line of the head that first-generation readers use: an operator by its table name, over the
// samples of the head's dtype.
struct Factor {
  double average = 0, smallest = 0, largest = 0;
  double average_flops_per_s = 0, average_bytes_per_s = 0;
  std::size_t count = 0;
  Bound bound = Bound::kDram;  // of most of its samples
  friend bool operator==(const Factor&, const Factor&) = default;
};

// provenance.timing of a table whose times hold what the host needs for each launch: they say
// little of small kernels, and nothing of a graph's.
inline constexpr const char* kHostTiming = "host";

struct DelayTable {
  DeviceInfo device;
  Ceilings ceilings;
  LaunchCost launch;
  Method method = Method::kStream;  // whose samples the curves are fitted to
  std::map<std::string, std::string> provenance;
  std::vector<std::string> run_ids;
  std::vector<Sample> samples;  // by op, dtype, implementation, method, then dims
  std::vector<Curve> curves;
  std::map<std::string, Factor> factors;
  Dtype factors_dtype = Dtype::kF32;
  std::vector<std::string> notes;           // what was left out or corrected, in sentences
  std::shared_ptr<const DelayModel> model;  // curves and samples, ready to be asked
};

bool is_host_timed(const DelayTable& table);

// One measurement as a sample. Nothing where it holds no time or its ceiling was not measured.
std::optional<Sample> sample_of(const Ceilings& ceilings, const DeviceInfo& device,
                                const Measurement& m);

// Delay factors and curves of every measurement with status ok. A call whose ceiling was not
// measured is left out and named in `notes`. Throws BadInput where nothing is left.
DelayTable make_table(const DeviceInfo& device, const Ceilings& ceilings,
                      const std::vector<Measurement>& measurements,
                      const std::map<std::string, std::string>& provenance);

// DESIGN §4: the first generation's head, then all of the table.
nlohmann::json table_to_json(const DelayTable& table);
// Also takes tables of version 2 (said in `notes`) and of the first generation; known faults of
// these are corrected and named in `notes`. Throws BadInput that names `where` (a file), the key
// and what to do.
DelayTable table_from_json(const nlohmann::json& j, const std::string& where);

// Validates, writes to a temporary name, syncs and renames; throws std::runtime_error with the
// path and the reason where that fails, with the earlier file as it was.
void save_table(const DelayTable& table, const std::filesystem::path& path);

// `device`, when not empty, is whose table this must be. Throws BadInput.
DelayTable load_table(const std::filesystem::path& path, const std::string& device = {});

// Whether both name one device: equal, or names of one datasheet ("Tesla T4", "T4").
bool same_device(const std::string& a, const std::string& b);

inline constexpr int kTableVersion = 3;

// A first-generation table (no schema_version), by table_from_json.
DelayTable first_generation_table(const nlohmann::json& j, const std::string& where);

}  // namespace ridge
