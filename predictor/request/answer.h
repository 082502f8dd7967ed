#pragma once
#include <optional>
#include <string>
#include <vector>

#include "predictor/request/best_batch.h"
#include "predictor/request/fine_tuning.h"

namespace ridge {

// Everything that is told of one request on one GPU or group of GPUs.
struct RequestAnswer {
  std::string gpu;   // by its datasheet's name where it has one
  std::string kind;  // "GPU", "CPU"
  Deployment deployment;
  Request request;
  RequestPrediction prediction;
  std::optional<Memory> memory;          // nothing for a device of unknown memory
  std::vector<std::string> would_fit;    // where it does not: what would, in words
  std::vector<std::string> answered_by;  // "gemm, attention_decode bf16: trtllm, vllm pooled"
  FineTuning::Factors fine_tuning;       // that the tables were multiplied by
  Limits limits;
  std::optional<BatchCurve> curve;  // where it was asked for

  bool fits() const { return memory && memory->fits(); }
};

// Throws BadInput as predict_request() and memory_of() do. The curve is left out.
RequestAnswer answer_request(const TableSet& tables, const Deployment& d, const Request& r);

}  // namespace ridge
