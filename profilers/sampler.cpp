#include "profilers/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "profilers/verify.h"

namespace ridge {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLong_s = 2e-3;           // calls of which a warm-up would cost more than it tells
constexpr std::size_t kMostBatches = 256;  // that a rotation is cut into

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double unix_now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct Range {  // of a timeline, closed however the scope is left
  Range(Backend& b, const std::string& text) : backend(b) { backend.push_range(text); }
  ~Range() { backend.pop_range(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
  Backend& backend;
};

// Launch sequences of about `per_batch` that together walk the rotation exactly once, or, where it
// is shorter than a batch, one that walks it whole several times: repeated, they come back to a set
// only after all the others.
std::vector<std::vector<Launch*>> chunks(std::span<Launch* const> rotation, std::size_t per_batch) {
  const std::size_t size = rotation.size();
  const std::size_t passes = (per_batch + size - 1) / size;
  const std::size_t count = std::clamp<std::size_t>(size / per_batch, 1, kMostBatches);
  std::vector<std::vector<Launch*>> all(count);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t at = i * size * passes / count; at < (i + 1) * size * passes / count; ++at)
      all[i].push_back(rotation[at % size]);
  return all;
}

void add(std::map<std::string, std::vector<double>>& readings, const Telemetry& t) {
  const auto keep = [&](const char* key, const std::optional<double>& value) {
    if (value && std::isfinite(*value)) readings[key].push_back(*value);
  };
  keep("sm_clock_hz", t.sm_clock_hz);
  keep("memory_clock_hz", t.memory_clock_hz);
  keep("power_w", t.power_w);
  keep("temperature_c", t.temperature_c);
}

// A sample whose threads were on a core for clearly less of its time than its siblings' had
// company.
void label_interference(Measurement& m) {
  if (m.busy.empty()) return;
  const double usual = *std::max_element(m.busy.begin(), m.busy.end());
  const auto disturbed =
      std::count_if(m.busy.begin(), m.busy.end(), [&](double b) { return b < 0.95 * usual; });
  if (disturbed > 0) m.labels.push_back(fmt::format("interfered:{}/{}", disturbed, m.busy.size()));
}

struct Bound {
  const Arguments& arguments;
  std::unique_ptr<Launch> launch;
};

// A launch for each set, as far as the budget goes: packing weights can cost far more than using
// them once. For the same reason the launch that was verified serves its set again, unless the
// arena moved the operands to make room.
std::vector<std::unique_ptr<Launch>> bind_sets(Backend& backend, const Call& call,
                                               std::span<const Operands> sets, Bound verified,
                                               double budget_s) {
  const Arguments& front = sets.front().arguments;
  std::vector<std::unique_ptr<Launch>> launches;
  if (front.inputs == verified.arguments.inputs && front.outputs == verified.arguments.outputs)
    launches.push_back(std::move(verified.launch));
  verified.launch.reset();
  const auto start = Clock::now();
  while (launches.size() < sets.size()) {
    if (launches.size() >= 2 && seconds_since(start) > budget_s) break;
    launches.push_back(backend.bind(call, sets[launches.size()].arguments));
  }
  return launches;
}

}  // namespace

SamplerOptions table_sampling(const Backend& backend, uint64_t seed) {
  if (backend.device().kind != "cpu") return {.time_budget_s = 0.05, .seed = seed};
  return {.time_budget_s = 0.02, .min_batch_s = 500e-6, .verify_budget_s = 0.005, .seed = seed};
}

Sampler::Sampler(Backend& backend, SamplerOptions options)
    : backend_(backend),
      options_(std::move(options)),
      arena_(backend, options_.seed, options_.contents) {}

Measurement Sampler::measure(const Call& call, std::optional<Method> method) {
  const OpSpec& spec = find_operator(call.op);
  validate(spec, call);
  Measurement m;
  m.call = call;
  m.method = method.value_or(backend_.table_method());
  m.run_id = options_.run_id;
  m.unix_time_s = unix_now_s();
  std::string why;
  const auto implementations = backend_.implementations(call, &why);
  if (implementations.empty()) {
    m.status = Status::kSkipped;
    m.reason = why;
    return m;
  }
  m.call.implementation = implementations.front();
  const Range range(backend_, to_string(m.call));
  const auto start = Clock::now();
  try {
    check_and_time(spec, m);
  } catch (const DeviceLost&) {
    throw;  // what followed would be skipped for the wrong reason
  } catch (const OutOfMemory& e) {
    m.status = Status::kSkipped;
    m.reason = std::string("out of memory: ") + e.what();
    m.samples_s.clear();
    m.busy.clear();
  } catch (const std::exception& e) {
    m.status = Status::kSkipped;
    m.reason = e.what();
    m.samples_s.clear();
    m.busy.clear();
  }
  m.wall_s = seconds_since(start);
  return m;
}

void Sampler::check_and_time(const OpSpec& spec, Measurement& m) {
  const int64_t footprint = footprint_bytes(spec, m.call);
  const int64_t span = 4 * backend_.device().last_level_cache_bytes;
  // Half of what is free: packed weights and workspaces need room beside the operands.
  int64_t room = backend_.free_memory_bytes() / 2;
  if (footprint > room) {  // what the arena holds for other dtypes is in the way
    arena_.release();
    room = backend_.free_memory_bytes() / 2;
  }
  if (footprint > room)
    throw OutOfMemory(
        fmt::format("{} MiB of operands, {} MiB free to use", footprint >> 20, room >> 20));
  const std::vector<Operands> checked = arena_.operands(spec, m.call, 1);
  std::unique_ptr<Launch> first = backend_.bind(m.call, checked.front().arguments);
  m.detail = first->detail();
  const Verdict v = verify(backend_, spec, m.call, checked.front(), *first, options_.seed,
                           options_.verify_budget_s);
  if (!v.correct) {
    m.status = Status::kWrong;
    m.reason = v.reason;
    return;
  }
  const double each = estimate(*first, v.run_s);
  // Enough operand sets that none is in a cache when its turn comes, as far as the time for one
  // pass over them allows. (Where it does not, the call computes for long on little data.)
  const int most =
      static_cast<int>(std::clamp(0.5 * options_.time_budget_s / each, 2.0, kMostOperandSets));
  const Work work = spec.work(m.call);
  const auto touched =
      std::min(footprint, static_cast<int64_t>(work.bytes_read + work.bytes_written));
  const int64_t reach = std::min(span, room - footprint);
  const bool resident = options_.residency == Residency::kResident;
  const int sets = resident ? 1 : Arena::sets_for(touched, reach, most);
  const std::vector<Operands> operands = arena_.operands(spec, m.call, sets, reach);
  const std::vector<std::unique_ptr<Launch>> launches =
      bind_sets(backend_, m.call, operands, {checked.front().arguments, std::move(first)},
                options_.time_budget_s);
  std::vector<Launch*> rotation;
  for (const auto& launch : launches) rotation.push_back(launch.get());
  m.rotation_bytes = touched * static_cast<int64_t>(launches.size());
  time_launches(rotation, each, m);
  backend_.synchronize();

  const double least = options_.fastest_possible_s ? options_.fastest_possible_s(work) : 0;
  const Summary s = summarize(m.samples_s);
  if (!(s.min_s > 0)) {
    m.status = Status::kWrong;
    m.reason = "the clock did not advance while it ran";
    m.samples_s.clear();
    m.busy.clear();
  } else if (s.median_s < least) {
    m.status = Status::kWrong;
    m.reason = fmt::format("{:.4g} s is faster than the device's peak allows ({:.4g} s)",
                           s.median_s, least);
  }
}

// A later run than the first, because that may load code; of a long call the next one will do, and
// on a CPU, which loads nothing, the verified one, which took `run_s`.
double Sampler::estimate(Launch& launch, double run_s) {
  if (run_s > kLong_s && backend_.device().kind == "cpu") return run_s;
  Launch* const one = &launch;
  const auto batch = backend_.batch(std::span(&one, 1), Method::kStream);
  const double first = batch->run().seconds;
  return first > kLong_s ? first : std::max(batch->run().seconds, 1e-7);
}

void Sampler::time_launches(std::span<Launch* const> rotation, double each, Measurement& m) {
  const bool warm_up = each < kLong_s;
  if (warm_up) {  // first touch of every set, and a better estimate
    const double pass = backend_.batch(rotation, Method::kStream)->run().seconds;
    each = std::min(each, std::max(pass / static_cast<double>(rotation.size()), 1e-8));
  }
  std::size_t per_batch =
      static_cast<std::size_t>(std::clamp(std::ceil(options_.min_batch_s / each), 1.0, 4096.0));
  if (m.method == Method::kCold) {
    per_batch = 1;
    rotation = rotation.first(std::min(rotation.size(), kMostBatches));
  }
  // A graph is costly to make: one holds the whole rotation.
  if (m.method == Method::kGraph) per_batch = std::max(per_batch, rotation.size());
  std::vector<std::unique_ptr<Batch>> batches;
  std::vector<std::vector<Launch*>> sequences = chunks(rotation, per_batch);
  for (const auto& s : sequences) batches.push_back(backend_.batch(s, m.method));
  m.launches_per_sample = static_cast<int>(sequences.front().size());

  std::map<std::string, std::vector<double>> readings;
  std::string throttled;
  if (warm_up) batches.front()->run();
  const auto start = Clock::now();
  for (std::size_t i = 0; m.samples_s.size() < static_cast<std::size_t>(options_.max_samples);
       ++i) {
    const BatchTime t = batches[i % batches.size()]->run();
    const auto launches = static_cast<double>(sequences[i % batches.size()].size());
    m.samples_s.push_back(t.seconds / launches);
    m.busy.push_back(t.busy_fraction);
    if (i % 16 == 0) {
      const Telemetry now = backend_.telemetry();
      add(readings, now);
      if (!now.throttle_reasons.empty()) throttled = now.throttle_reasons;
    }
    const bool out_of_time = seconds_since(start) > options_.time_budget_s;
    // A call that outlasts its budget by itself still gets three samples.
    if (out_of_time && m.samples_s.size() >= 3) break;
    if (static_cast<int>(m.samples_s.size()) < options_.min_samples) continue;
    if (options_.relative_ci > 0 && summarize(m.samples_s).relative_ci < options_.relative_ci)
      break;
  }
  m.converged = summarize(m.samples_s).relative_ci < options_.relative_ci;
  for (auto& [key, values] : readings) m.telemetry[key] = summarize(values).median_s;
  if (!throttled.empty()) m.labels.push_back("throttled:" + throttled);
  label_interference(m);
}

}  // namespace ridge
