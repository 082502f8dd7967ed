#pragma once
#include <string>

#include "predictor/models/model.h"
#include "profilers/llama/numerics.h"

namespace ridge {

// What is to be run, and where its weights come from.
struct SpeedModel {
  Model model;
  Numerics numerics;
  std::string folder;  // of its weights; empty: random ones
};

// `path`: a folder with config.json, with weights or without; else LLAMA_MODEL_PATH; else `name`: a
// bundled model with random weights, or one that huggingface-cli downloads. `layers` above 0 keeps
// that many of them, of random weights only. Throws BadInput that tells what to do.
SpeedModel find_speed_model(const std::string& path, const std::string& name, int64_t layers);

}  // namespace ridge
