// Parameter counts as Hugging Face shows them for the published weights.
#pragma once
#include <array>

namespace ridge {

struct PublishedCount {
  const char* model;
  double parameters;
};

inline constexpr std::array<PublishedCount, 26> kPublishedCounts = {{
    {"llama-7b", 6738415616},         {"llama-2-7b", 6738415616},
    {"llama-2-13b", 13015864320},     {"llama-2-70b", 68976648192},
    {"llama-3-8b", 8030261248},       {"llama-3-70b", 70553706496},
    {"llama-3.1-8b", 8030261248},     {"llama-3.1-70b", 70553706496},
    {"llama-3.1-405b", 405853388800}, {"llama-3.2-1b", 1235814400},
    {"llama-3.2-3b", 3212749824},     {"llama-3.3-70b", 70553706496},
    {"mistral-7b", 7241732096},       {"mixtral-8x7b", 46702792704},
    {"qwen1.5-7b", 7721324544},       {"qwen2-7b", 7615616512},
    {"qwen2-72b", 72706203648},       {"qwen2.5-7b", 7615616512},
    {"qwen2.5-14b", 14770033664},     {"qwen2.5-32b", 32763876352},
    {"qwen2.5-72b", 72706203648},     {"qwen3-8b", 8190735360},
    {"qwen3-14b", 14768307200},       {"qwen3-32b", 32762123264},
    {"qwen3-30b-a3b", 30532122624},   {"gemma-2-9b", 9241705984},
}};

}  // namespace ridge
