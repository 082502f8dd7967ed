#include "calibrate/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "calibrate/delay_model.h"
#include "calibrate/text_lines.h"
#include "calibrate/transfer_curve.h"
#include "kernels/core/error.h"
#include "kernels/core/operators.h"
#include "roofline/call_ideal.h"

namespace ridge {
namespace {

using Key = std::tuple<std::string, Dtype, std::string>;  // op, dtype, implementation

std::string text(const Key& k) {
  return fmt::format("{} {}{}{}", std::get<0>(k), name(std::get<1>(k)),
                     std::get<2>(k).empty() ? "" : " ", std::get<2>(k));
}

void check(const NamedTable& source, const TransferGpu& to, Method method) {
  const DelayTable& t = source.table;
  if (same_device(t.device.name, to.device.name))
    throw BadInput(source.file + ": is a table of " + to.device.name +
                   " itself: predict with it, nothing needs to be transferred");
  if (is_transferred(t))
    throw BadInput(source.file + ": was transferred itself; give the tables that it came from");
  if (t.samples.empty())
    throw BadInput(source.file +
                   ": has no samples, as first-generation tables have none; import the latencies "
                   "behind it (calibrate import), or calibrate on " +
                   t.device.name);
  if (t.device.kind != to.device.kind)
    throw BadInput(source.file + ": is a table of a " + t.device.kind + " device, " +
                   to.device.name + " is a " + to.device.kind + " one; give tables of such");
  if (t.method != method)
    throw BadInput(source.file + ": was timed as '" + std::string(name(t.method)) +
                   "', the first table as '" + std::string(name(method)) +
                   "'; give tables that were timed alike");
}

// By operator, dtype and implementation what each GPU was measured to take. Tables of one GPU are
// one source.
std::map<Key, std::vector<TransferSource>> grouped(const std::vector<NamedTable>& sources) {
  std::map<Key, std::vector<TransferSource>> groups;
  for (const NamedTable& source : sources) {
    const DelayTable& t = source.table;
    for (const Sample& s : t.samples) {
      if (s.method != t.method || has_label(s, kSpike)) continue;
      auto& gpus = groups[{s.call.op, s.call.dtype, s.call.implementation}];
      auto place = std::find_if(gpus.begin(), gpus.end(), [&](const TransferSource& g) {
        return same_device(g.gpu.device.name, t.device.name);
      });
      if (place == gpus.end())
        place = gpus.insert(gpus.end(), TransferSource{{t.device, t.ceilings}, {}});
      place->samples.push_back(s);
    }
  }
  return groups;
}

// Why the target cannot have this curve; empty where it can.
std::string lacking(const TransferGpu& to, const Call& call) {
  const OpSpec& spec = find_operator(call.op);
  try {
    const Ideal best = ideal_of(to.ceilings, spec, call, table_working_set(spec, call, to.device),
                                to.device.units);
    return best.seconds > 0 && std::isfinite(best.seconds) ? "" : "its ideal time is 0";
  } catch (const BadInput& e) {
    return e.what();
  }
}

std::string origins(const std::vector<TransferSource>& gpus) {
  std::string list;
  for (const TransferSource& g : gpus)
    list += fmt::format("{}{} ({} samples)", list.empty() ? "" : ", ", g.gpu.device.name,
                        g.samples.size());
  return list;
}

void add_curves(DelayTable& t, const TransferGpu& to, const std::vector<NamedTable>& sources) {
  for (const auto& [key, gpus] : grouped(sources)) {
    if (const std::string why = lacking(to, gpus[0].samples[0].call); !why.empty()) {
      t.notes.push_back(text(key) + ": left out, " + why);
      continue;
    }
    t.curves.push_back(transferred_curve(to, gpus));
    t.notes.push_back(text(key) + ": transferred from " + origins(gpus) +
                      (gpus.size() > 1
                           ? ""
                           : fmt::format("; of one GPU alone nobody can tell the error: 80 % are "
                                         "taken to lie within a factor of {:.1f}",
                                         kOneSourceFactor)));
  }
}

// Delays against datasheets and against measured ceilings differ by how far these lie apart.
void note_mixed_ceilings(DelayTable& t, const std::vector<NamedTable>& sources) {
  const auto from_datasheet = [](const Ceilings& c) {
    const auto it = c.provenance.find("source");
    return it != c.provenance.end() && it->second == "datasheet";
  };
  for (const NamedTable& s : sources)
    if (from_datasheet(s.table.ceilings) != from_datasheet(t.ceilings))
      t.notes.push_back(fmt::format(
          "{}: its ceilings are {}, those of {} are {}: delay factors are off by how far these lie "
          "apart",
          s.file, from_datasheet(s.table.ceilings) ? "a datasheet's" : "measured", t.device.name,
          from_datasheet(t.ceilings) ? "a datasheet's" : "measured"));
}

}  // namespace

bool is_transferred(const DelayTable& table) {
  const auto method = table.provenance.find("method");
  return method != table.provenance.end() && method->second == kTransferredMethod;
}

DelayTable transfer_table(const std::vector<NamedTable>& sources, const TransferGpu& to,
                          const std::map<std::string, std::string>& provenance) {
  if (sources.empty()) throw BadInput("no table to transfer from; name some with --from");
  DelayTable t{.device = to.device, .ceilings = to.ceilings};
  t.method = sources[0].table.method;
  for (const NamedTable& s : sources) check(s, to, t.method);
  t.launch = {.stream_s = launch_seconds(to.ceilings, Method::kStream),
              .graph_s = launch_seconds(to.ceilings, Method::kGraph)};
  t.provenance = provenance;
  t.provenance["method"] = kTransferredMethod;
  std::string from;
  for (const NamedTable& s : sources)
    from += fmt::format("{}{} ({})", from.empty() ? "" : ", ", s.file, s.table.device.name);
  t.provenance["sources"] = from;
  t.factors_dtype = sources[0].table.factors_dtype;
  t.notes.push_back("no kernel was measured on " + t.device.name +
                    ": delays are transferred from other GPUs, and no call has a measured time");
  note_mixed_ceilings(t, sources);
  add_curves(t, to, sources);
  if (t.curves.empty())
    throw BadInput("nothing can be transferred to " + t.device.name + ": " + t.notes.back());
  t.model = std::make_shared<const DelayModel>(t);
  return t;
}

std::string transfer_summary(const DelayTable& table) {
  std::string all = table.device.name + ", transferred\n\n";
  all += fmt::format("{:<40} {:>8} {:>12} {:>10}\n", "operator", "samples", "median error", "90th");
  for (const Curve& c : table.curves)
    all += fmt::format("{:<40.40} {:>8} {:>10.1f} % {:>8.1f} %\n",
                       text({c.op, c.dtype, c.implementation}), c.count, 100 * c.cv_median_error,
                       100 * c.cv_p90_error);
  all += "\nerrors: of the source GPUs, each left out once\n";
  return all + notes_text(table.notes);
}

}  // namespace ridge
