#include "calibrate/import_plan.h"

#include "kernels/core/operators.h"

namespace ridge {

std::vector<Chooser::Choice> choose_points(const std::vector<Call>& pool, std::size_t count,
                                           const std::function<double(std::size_t)>& ask,
                                           const DeviceInfo& device, const Ceilings& ceilings) {
  std::vector<Chooser::Choice> chosen;
  if (pool.empty()) return chosen;
  Chooser chooser(find_operator(pool[0].op), pool, device, ceilings,
                  launch_seconds(ceilings, Method::kGraph), 1);
  while (chosen.size() < count) {
    const auto choice = chooser.next();
    if (!choice) break;
    chosen.push_back(*choice);
    Measurement m;
    m.call = pool[choice->place];
    m.method = Method::kGraph;
    m.samples_s = {ask(choice->place)};
    chooser.report(m.call, sample_of(ceilings, device, m), 0);
  }
  return chosen;
}

}  // namespace ridge
