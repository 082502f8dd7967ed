#include "predictor/request/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "kernels/core/error.h"
#include "predictor/request/compare.h"
#include "predictor/request/text.h"
#include "roofline/device_specs.h"

namespace ridge {
namespace {

constexpr int64_t kUsualChunk = 8192;  // vllm's, on large GPUs

bool fits_at(const DeviceInfo& device, const Deployment& d, const Request& r) {
  try {
    return memory_of(device, d, r).fits();
  } catch (const BadInput&) {  // that many GPUs do not divide the model
    return false;
  }
}

std::vector<std::string> what_would_fit(const DeviceInfo& device, const Deployment& d,
                                        const Request& r, const Memory& m) {
  std::vector<std::string> ways;
  if (r.chunk == 0 && d.engine.step_tokens == 0) {
    Request in_chunks = r;
    in_chunks.chunk = kUsualChunk;
    if (fits_at(device, d, in_chunks)) ways.push_back(fmt::format("--chunk {}", kUsualChunk));
  }
  // More GPUs: in each layer, or where that shares no more of the cache, in more stages.
  Deployment other = d;
  for (const auto& [flag, size] :
       {std::pair{"--tp", &Parallel::tensor}, std::pair{"--pp", &Parallel::pipeline}}) {
    other = d;
    while ((other.parallel.*size *= 2) <= kMostSearched && !fits_at(device, other, r)) continue;
    if (other.parallel.*size > kMostSearched) continue;
    ways.push_back(
        fmt::format("{} {} ({} GPUs)", flag, other.parallel.*size, other.parallel.gpus()));
    break;
  }
  other = d;
  for (const auto& [format, name] :
       {std::pair{WeightFormat::kInt8, "int8"}, std::pair{WeightFormat::kInt4, "int4"}}) {
    if (d.precision.weights >= format) continue;
    other.precision.weights = format;
    if (!fits_at(device, other, r)) continue;
    ways.push_back(fmt::format("--weights {}", name));
    break;
  }
  if (m.max_batch > 0 && m.max_batch < r.batch())
    ways.push_back(fmt::format("--batch {}", m.max_batch));
  if (m.max_context > 0)
    ways.push_back(fmt::format("{} tokens of context at this batch", grouped(m.max_context)));
  return ways;
}

// Without the folder of the project's own data.
std::string relative(std::string text) {
  const std::string folder = data_dir().string() + "/";
  for (std::size_t at; (at = text.find(folder)) != std::string::npos;)
    text.erase(at, folder.size());
  return text;
}

// One line for all operators that the same tables answer, in the order of a pass.
std::vector<std::string> answering(const TableSet& tables, const Deployment& d, const Request& r) {
  Step prefill, decode;
  for (const Prompt& p : r.prompts) {
    prefill.push_back({.tokens = p.tokens - p.cached, .past = p.cached});
    decode.push_back({.tokens = 1, .past = p.tokens});
  }
  std::vector<Step> steps{prefill};
  if (r.output > 1) steps.push_back(decode);
  std::vector<std::pair<std::string, std::string>> lines;  // tables, operators
  std::set<std::pair<std::string, Dtype>> seen;
  for (const Step& step : steps)
    for (const auto& stage : lower(d.model, d.parallel, d.precision, d.engine.fusion, step))
      for (const Kernel& k : stage) {
        if (!seen.insert({k.call.op, k.call.dtype}).second) continue;
        const std::string said = tables.answered_by(k.call);  // "gemm bf16: vllm"
        const std::size_t colon = said.find(": ");
        const std::string who =
            fmt::format("{}: {}", name(k.call.dtype), relative(said.substr(colon + 2)));
        const auto line =
            std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.first == who; });
        if (line == lines.end())
          lines.emplace_back(who, k.call.op);
        else
          line->second += ", " + k.call.op;
      }
  std::vector<std::string> made;
  for (const auto& [who, operators] : lines) made.push_back(operators + " " + who);
  return made;
}

}  // namespace

RequestAnswer answer_request(const TableSet& tables, const Deployment& d, const Request& r) {
  const DeviceInfo& device = tables.device();
  const auto spec = find_device(device.name);
  RequestAnswer a{.gpu = spec ? spec->name : device.name,
                  .kind = device.kind == "cpu" ? "CPU" : "GPU",
                  .deployment = d,
                  .request = r};
  a.prediction = predict_request(tables, d, r);
  if (spec || device.memory_bytes > 0) {
    a.memory = memory_of(device, d, r);
    if (!a.memory->fits()) a.would_fit = what_would_fit(device, d, r, *a.memory);
  }
  a.answered_by = answering(tables, d, r);
  return a;
}

}  // namespace ridge
