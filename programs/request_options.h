#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "predictor/request/request.h"

namespace ridge {

// What is asked of a model: prompts, output, speculation.
struct RequestOptions {
  std::vector<int64_t> inputs;  // lengths of prompts, in equal shares of the batch
  std::string prompt_lengths;   // a CSV file with a row for each prompt, column input_tokens
  int64_t output = 256, batch = 0, cached = 0;
  std::string draft_model;
  int64_t draft_tokens = 4;
  double acceptance = 0.7;

  // Throws BadInput for lengths that make no batch and for files that cannot be read.
  Request request(int64_t chunk) const;
  // The smallest batch of the same mix, for a curve over batches.
  Request one(Request r) const;
};

// Adds them to a command; `o` must outlive the parsing.
void add_request_options(CLI::App& app, RequestOptions& o);

}  // namespace ridge
