#include "calibrate/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "calibrate/anchors.h"
#include "calibrate/journal.h"
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/operators.h"
#include "profilers/progress.h"
#include "roofline/measure_roofline.h"

namespace ridge {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnchorEvery = 20;  // calls

std::atomic<bool> stop_asked{false};  // a signal handler can reach nothing else

// Turns SIGINT and SIGTERM into stop_asked while it lives.
class StopOnSignal {
 public:
  StopOnSignal() {
    stop_asked = false;
    for (std::size_t i = 0; i < 2; ++i)
      before_[i] = std::signal(kSignals[i], [](int) { stop_asked = true; });
  }
  ~StopOnSignal() {
    for (std::size_t i = 0; i < 2; ++i) std::signal(kSignals[i], before_[i]);
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

 private:
  static constexpr int kSignals[2] = {SIGINT, SIGTERM};
  void (*before_[2])(int) = {};
};

// `only` names operators either way ("rmsnorm", "RMS_Norm"); empty, all are asked for.
bool is_asked(const OpSpec& spec, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& op) {
           return op == spec.name || op == spec.table_name;
         });
}

double ceilings_share_s(const CalibrationOptions& options) {
  return std::min(60.0, 0.2 * options.budget_s);
}

// The ceilings that are in the folder, if this run is to take them: a resumed run takes what it
// had, any run a whole roofline, whose measuring took minutes.
std::optional<Ceilings> known_ceilings(const Backend& backend, const CalibrationOptions& options,
                                       const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  Ceilings known;
  try {
    known = load_ceilings(path);
  } catch (const BadInput&) {
    if (options.resume) throw;
    return {};
  }
  const auto depth = known.provenance.find("depth");
  const bool whole = depth != known.provenance.end() && depth->second == "full";
  if (!options.resume && !whole) return {};
  if (known.device != backend.device().name)
    throw BadInput(fmt::format("{}: measured on {}, this is {}; use another --out", path.string(),
                               known.device, backend.device().name));
  return known;
}

Ceilings ceilings_for(Backend& backend, Sampler& sampler, const CalibrationOptions& options,
                      std::vector<std::string>& notices) {
  const auto path = options.folder / "ceilings.json";
  if (auto known = known_ceilings(backend, options, path)) {
    const auto started = known->provenance.find("started");
    notices.push_back(
        fmt::format("ceilings are taken from {}{}", path.string(),
                    started == known->provenance.end() ? "" : ", measured " + started->second));
    return std::move(*known);
  }
  const double share_s = ceilings_share_s(options);
  Progress progress("ceilings", share_s);
  Ceilings measured = measure_roofline(
      backend, sampler.options(), Depth::kQuick, share_s,
      [&](double share, const std::string& what) { progress.update(share * share_s, what); });
  write_json(path, to_json(measured));
  return measured;
}

// A call that takes the device with it ends the run; it is noted, so that a resumed one leaves it
// out.
Measurement measure_or_stop(Sampler& sampler, const Call& call, Journal& journal) {
  try {
    return sampler.measure(call);
  } catch (const DeviceLost& e) {
    Measurement m;
    m.call = call;
    m.status = Status::kSkipped;
    m.reason = std::string("the device was lost: ") + e.what();
    m.run_id = sampler.options().run_id;
    journal.append(m);
    throw DeviceLost(fmt::format("{}; the device was lost at {}; go on with --resume", e.what(),
                                 to_string(call)));
  }
}

double spent_before(const std::vector<Measurement>& measurements) {
  double total = 0;
  for (const Measurement& m : measurements) total += m.wall_s;
  return total;
}

}  // namespace

PlanLimits limits_of(const Backend& backend, double budget_s) {
  // A thousand calls of the longest kind would fill the budget a few times over; most are shorter.
  PlanLimits limits;
  limits.max_call_s = std::clamp(budget_s / 6000, 1e-3, 0.1);
  limits.max_bytes = backend.device().kind == "cpu"
                         ? std::min<int64_t>(int64_t{1} << 29, backend.device().memory_bytes / 16)
                         : std::min<int64_t>(int64_t{8} << 30, backend.device().memory_bytes / 8);
  return limits;
}

std::vector<Group> groups_of(const Backend& backend, const Ceilings& ceilings,
                             const PlanLimits& limits, const std::vector<std::string>& only,
                             NotHere* skipped) {
  for (const std::string& op : only) (void)find_operator(op);  // names what is unknown
  std::vector<Group> groups;
  std::mt19937_64 rng(1);
  for (const OpSpec& spec : operators()) {
    if (!is_asked(spec, only)) continue;
    for (Dtype dtype : spec.dtypes) {
      if (!is_swept(spec, dtype)) continue;
      std::set<std::string> found;
      std::string why;
      for (int i = 0; i < 8; ++i) {
        try {
          const auto call = draw_call(spec, {spec.name, dtype, ""}, ceilings, limits, rng);
          if (!call) break;
          why.clear();
          for (std::string& n : backend.implementations(*call, &why)) found.insert(std::move(n));
        } catch (const BadInput& e) {  // no ceiling for this dtype: nothing here computes in it
          why = e.what();
          break;
        }
      }
      for (const std::string& implementation : found)
        groups.push_back({spec.name, dtype, implementation});
      if (found.empty() && skipped) (*skipped)[spec.name][std::string(name(dtype))] = why;
    }
  }
  return groups;
}

CalibrationResult run_calibration(Backend& backend, const CalibrationOptions& options) {
  for (const std::string& op : options.only)  // before anything is measured or written
    if (const OpSpec& spec = find_operator(op); spec.probe)
      throw BadInput(op + ": measures a ceiling and is not swept; leave it out of the operators");
    else if (!spec.no_launch.empty())
      throw BadInput(op + ": " + spec.no_launch + "; leave it out of the operators");
  const StopOnSignal on_signal;
  const auto start = Clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };

  Journal journal(options.folder / "measurements.jsonl", backend.device().name, options.resume);
  std::map<std::string, std::string> provenance = backend.device().provenance;
  provenance.insert(options.provenance.begin(), options.provenance.end());
  provenance["run_id"] = fmt::format(
      "{:x}", std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1));
  journal.append_run(provenance);

  SamplerOptions sampling = table_sampling(backend, options.seed);
  sampling.run_id = provenance["run_id"];
  sampling.fastest_possible_s = options.fastest_possible_s;
  Sampler sampler(backend, sampling);

  CalibrationResult result;
  const bool resumed = !journal.measurements().empty();
  const double before =
      spent_before(journal.measurements()) + (resumed ? ceilings_share_s(options) : 0);
  result.ceilings = ceilings_for(backend, sampler, options, result.notices);
  const PlanLimits limits = limits_of(backend, options.budget_s);
  Planner planner(groups_of(backend, result.ceilings, limits, options.only, &result.not_here),
                  result.ceilings, limits, options.seed, backend.device());
  for (const Measurement& m : journal.measurements()) planner.report(m);

  const std::vector<Call> watched = anchors(backend, options.only);
  // The table's own fit needs a little time at the end.
  const double sweep_s = 0.96 * options.budget_s - before;
  Progress progress("sweep", sweep_s);
  std::size_t count = 0, next_anchor = 0;
  while (!stop_asked && elapsed() < sweep_s && !planner.reached(options.target_error)) {
    const bool anchor = !watched.empty() && count++ % kAnchorEvery == 0;
    const std::optional<Planner::Choice> choice =
        anchor ? Planner::Choice{.call = watched[next_anchor++ % watched.size()]} : planner.next();
    if (!choice) break;
    progress.update(elapsed(), to_string(choice->call));
    Measurement m = measure_or_stop(sampler, choice->call, journal);
    m.anchor = anchor;
    if (choice->control) m.labels.emplace_back(kControl);
    journal.append(m);
    planner.report(m);
  }
  if (journal.measurements().empty() && !stop_asked && elapsed() >= sweep_s)
    throw std::runtime_error(fmt::format(
        "the ceilings took all of the budget ({:.0f} of {:.0f} s): no call was measured; "
        "go on with --resume, they are kept",
        elapsed(), options.budget_s));
  if (raise_ceilings(result.ceilings, journal.measurements())) {
    judge(result.ceilings, backend.device());
    write_json(options.folder / "ceilings.json", to_json(result.ceilings));
    result.notices.push_back("DRAM ceilings were raised to what anchors reached during the sweep");
  }
  result.interrupted = stop_asked;
  result.measurements = journal.measurements();
  result.notices.insert(result.notices.end(), journal.notices().begin(), journal.notices().end());
  result.spent_s = elapsed();
  return result;
}

}  // namespace ridge
