#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace ridge {

// What a config.json says of a decoder's arithmetic, which costs nothing and so is not in Model.
struct Numerics {
  double epsilon = 1e-6;  // of RMSNorm, as Transformers has it where the config does not say
  double rope_theta = 10000;

  // How RoPE's frequencies are stretched. kLlama3 leaves those of short wavelengths as they are.
  enum class Scaling { kNone, kLinear, kLlama3 } scaling = Scaling::kNone;
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  double original_positions = 8192;
};

// Reads rms_norm_eps, rope_theta and rope_scaling (or rope_parameters). Throws BadInput that names
// `where` and the key for a scaling that is not run here (yarn, dynamic, longrope).
Numerics numerics_from_json(const nlohmann::json& config, const std::string& where);

// Angle per position of each of head_dim / 2 pairs: theta^(−2i / head_dim), scaled. Llama 3's rule
// is that of Transformers (modeling_rope_utils.py, llama3).
std::vector<double> rope_frequencies(const Numerics& n, int64_t head_dim);

// The operator rope's third input: [positions][head_dim / 2 cosines, head_dim / 2 sines].
std::vector<float> rope_table(const Numerics& n, int64_t head_dim, int64_t positions);

}  // namespace ridge
