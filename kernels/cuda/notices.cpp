#include "kernels/cuda/notices.h"

#include <fmt/format.h>

namespace ridge::cuda {
namespace {

std::string of_processes(const std::vector<unsigned>& ids, bool slice) {
  constexpr std::size_t kNamed = 4;
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < kNamed; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", ids[i]);
  if (ids.size() > kNamed) text += fmt::format(" and {} more", ids.size() - kNamed);
  const bool one = ids.size() == 1;
  return fmt::format("{} (pid {}) use{} this GPU{}: times will be disturbed; stop {}",
                     one ? "another process" : "other processes", text, one ? "s" : "",
                     slice ? ", perhaps in other slices" : "", one ? "it" : "them");
}

}  // namespace

bool is_mig_slice(const std::string& name, const CardState& card) {
  return name.find(" MIG ") != std::string::npos || card.mig.value_or(false);
}

std::vector<std::string> notices(const DeviceInfo& device, const CardState* card) {
  std::vector<std::string> all;
  const bool slice = is_mig_slice(device.name, card ? *card : CardState{});
  if (slice)
    all.push_back(fmt::format(
        "this is a MIG slice ({}): its {} multiprocessors and {} MiB are the slice's, its clocks "
        "and power the whole card's; switch MIG off (nvidia-smi -mig 0) to measure the whole GPU",
        device.uuid, device.units, device.memory_bytes >> 20));
  if (!card) {
    all.push_back(
        "NVML does not open, so clocks, power, throttling and other processes go unseen; in a "
        "container, start it with the driver capability 'utility'");
    return all;
  }
  if (!card->other_processes.empty()) all.push_back(of_processes(card->other_processes, slice));
  // Both are whole watts in practice; less than one apart is rounding.
  if (card->power_limit_w && card->default_power_limit_w &&
      *card->power_limit_w < *card->default_power_limit_w - 1)
    all.push_back(fmt::format(
        "the power limit is {:.0f} W, its default {:.0f} W: clocks will be lower under load; "
        "nvidia-smi -pl {:.0f} restores it",
        *card->power_limit_w, *card->default_power_limit_w, *card->default_power_limit_w));
  if (card->ecc == false)
    all.push_back(
        "ECC is off: memory errors go unseen, and GDDR memory is faster than with it; switch it on "
        "(nvidia-smi -e 1) to compare with GPUs that have it on");
  if (card->persistence == false)
    all.push_back(
        "persistence mode is off: each start loads the driver anew, which takes seconds; "
        "nvidia-smi -pm 1 keeps it loaded");
  return all;
}

}  // namespace ridge::cuda
