#include "calibrate/import_plan.h"

#include <limits>

#include "calibrate/chooser.h"
#include "kernels/core/operators.h"

namespace ridge {

std::vector<std::size_t> choose_points(const std::vector<Call>& pool, std::size_t count,
                                       const std::function<double(std::size_t)>& ask,
                                       const DeviceInfo& device, const Ceilings& ceilings) {
  std::vector<std::size_t> chosen;
  if (pool.empty()) return chosen;
  Chooser chooser(find_operator(pool[0].op), pool, device, ceilings,
                  launch_seconds(ceilings, Method::kGraph), 1);
  while (chosen.size() < count) {
    const auto place = chooser.next();
    if (!place) break;
    chosen.push_back(*place);
    Measurement m;
    m.call = pool[*place];
    m.method = Method::kGraph;
    m.samples_s = {ask(*place)};
    chooser.report(m.call, sample_of(ceilings, device, m), 0);
  }
  return chosen;
}

}  // namespace ridge
