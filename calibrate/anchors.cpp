#include "calibrate/anchors.h"

#include <algorithm>
#include <string_view>

#include "kernels/core/operators.h"
#include "roofline/plan.h"

namespace ridge {
namespace {

constexpr std::string_view kStream = "stream_";
constexpr const char* kRaised = ", as an anchor of the sweep";

std::vector<Call> operators_of(const Backend& backend, const std::vector<std::string>& only) {
  const bool cpu = backend.device().kind == "cpu";
  const Dtype dtype = cpu ? Dtype::kF32 : Dtype::kF16;
  const std::vector<int64_t> product =
      cpu ? std::vector<int64_t>{256, 1024, 1024} : std::vector<int64_t>{4096, 4096, 4096};
  std::vector<Call> wanted{{"gemm", product, dtype, ""},
                           {"rmsnorm", {4096, 4096}, dtype, ""},
                           {"rmsnorm", {1, 4096}, dtype, ""}};
  std::erase_if(wanted, [&](const Call& call) {
    const OpSpec& spec = find_operator(call.op);
    const bool asked = only.empty() || std::count(only.begin(), only.end(), spec.name) ||
                       std::count(only.begin(), only.end(), spec.table_name);
    return !asked || backend.implementations(call, nullptr).empty();
  });
  return wanted;
}

}  // namespace

std::vector<Call> anchors(const Backend& backend, const std::vector<std::string>& only) {
  std::vector<Call> all = operators_of(backend, only);
  for (const char* kind : {"stream_read", "stream_write", "stream_copy"})
    for (const Probe& probe : dram_probes(backend))
      if (probe.call.op == kind) {  // the first is the smallest, by the preferred implementation
        all.push_back(probe.call);
        break;
      }
  return all;
}

bool raise_ceilings(Ceilings& ceilings, const std::vector<Measurement>& measurements) {
  bool raised = false;
  for (const Measurement& m : measurements) {
    if (!m.anchor || m.status != Status::kOk || m.call.op.rfind(kStream, 0) != 0) continue;
    const auto known = ceilings.values.find("dram." + m.call.op.substr(kStream.size()));
    if (known == ceilings.values.end()) continue;
    const Work work = find_operator(m.call.op).work(m.call);
    const Summary s = summarize(m.samples_s);
    const double rate = (work.bytes_read + work.bytes_written) / s.p10_s;
    if (!(rate > known->second.value)) continue;
    Ceiling& c = known->second;
    c.value = rate;
    c.spread = (s.p90_s - s.p10_s) / s.median_s;
    c.method = to_string(m.call) + kRaised;
    raised = true;
  }
  return raised;
}

}  // namespace ridge
