#include "calibrate/import.h"

#include <fmt/format.h>

#include <tuple>

#include "calibrate/import_faults.h"
#include "calibrate/import_plan.h"
#include "calibrate/summary.h"
#include "calibrate/text_lines.h"
#include "kernels/core/error.h"
#include "roofline/datasheet.h"

namespace ridge {
namespace {

std::vector<std::string> file_notes(const std::vector<ImportedFile>& files) {
  std::vector<std::string> notes;
  for (const ImportedFile& file : files) {
    if (file.filtered > 0)
      notes.push_back(fmt::format("{}: {} of {} rows are of another framework or dtype than asked",
                                  file.name, file.filtered, file.rows));
    if (file.rejected == 0) continue;
    notes.push_back(fmt::format("{}: {} of {} rows rejected", file.name, file.rejected, file.rows));
    for (const std::string& why : file.rejections) notes.push_back("rejected: " + why);
    if (file.rejected > file.rejections.size())
      notes.push_back(fmt::format("rejected: {} more of {}", file.rejected - file.rejections.size(),
                                  file.name));
  }
  return notes;
}

std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return all;
}

// Those of each operator, dtype and implementation that the planner asks for.
std::vector<ImportedCall> chosen(const std::vector<ImportedCall>& calls, std::size_t points,
                                 const DeviceInfo& device, const Ceilings& ceilings) {
  std::map<std::tuple<std::string, Dtype, std::string>, std::vector<const ImportedCall*>> groups;
  for (const ImportedCall& c : calls)
    groups[{c.call.op, c.call.dtype, c.call.implementation}].push_back(&c);
  std::vector<ImportedCall> kept;
  for (const auto& entry : groups) {
    const std::vector<const ImportedCall*>& group = entry.second;
    std::vector<Call> pool;
    for (const ImportedCall* c : group) pool.push_back(c->call);
    const auto ask = [&](std::size_t i) { return group.at(i)->median_s(); };
    for (const auto& [place, control] : choose_points(pool, points, ask, device, ceilings)) {
      kept.push_back(*group[place]);
      if (control) kept.back().labels.emplace_back(kControl);
    }
  }
  return kept;
}

std::vector<Measurement> measurements_of(std::vector<ImportedCall> calls, Method method) {
  std::vector<Measurement> all;
  for (ImportedCall& c : calls) {
    Measurement m;
    m.call = std::move(c.call);
    m.method = method;
    m.samples_s = std::move(c.latencies_s);
    m.labels = std::move(c.labels);
    all.push_back(std::move(m));
  }
  return all;
}

std::map<std::string, std::string> provenance_of(const ImportedRows& imported,
                                                 const ImportOptions& options) {
  std::map<std::string, std::string> provenance = options.provenance;
  provenance["method"] = "imported";
  if (options.host_timed) provenance["timing"] = kHostTiming;
  if (!options.framework.empty()) provenance["framework"] = options.framework;
  for (const auto& [column, texts] : imported.said)
    provenance[column] = joined({texts.begin(), texts.end()}, ", ");
  std::vector<std::string> files;
  for (const ImportedFile& file : imported.files)
    files.push_back(fmt::format("{} ({} of {} rows)", file.name, file.taken, file.rows));
  provenance["files"] = joined(files, ", ");
  if (options.points > 0)
    provenance["points"] = std::to_string(options.points) +
                           " of each operator, dtype and "
                           "implementation";
  return provenance;
}

}  // namespace

DelayTable import_table(const ImportedRows& imported, const ImportOptions& options) {
  std::vector<std::string> notes = file_notes(imported.files);
  const DeviceInfo device = device_info(options.device);
  const Ceilings ceilings = datasheet_ceilings(options.device);
  std::vector<ImportedCall> calls = merge_repeats(imported.rows, notes);
  drop_unlimited(calls, ceilings, notes);
  drop_impossible(calls, ceilings, notes);
  if (calls.empty()) {
    std::string why = "nothing is left to import\n";
    for (const std::string& note : notes) why += wrapped(note, 2, 2);
    why.pop_back();
    throw BadInput(why);
  }
  if (options.points > 0) calls = chosen(calls, options.points, device, ceilings);
  label_fast(calls, ceilings, notes);
  // Of a few chosen calls, those on either side are no neighbours.
  if (options.points == 0) label_spikes(calls, notes);
  // Times of the device are what tables of GPUs are made from, on whatever its graphs were timed.
  const Method method = options.host_timed ? Method::kStream : Method::kGraph;
  DelayTable table = make_table(device, ceilings, measurements_of(std::move(calls), method),
                                provenance_of(imported, options));
  if (options.host_timed)
    notes.insert(notes.begin(),
                 "timed on the host, launch by launch: each time holds what the host needs for a "
                 "launch, tens of microseconds");
  notes.insert(notes.begin(),
               "ceilings are the datasheet's, not measured: delay factors are against "
               "those");
  table.notes.insert(table.notes.begin(), notes.begin(), notes.end());
  return table;
}

std::string import_summary(const ImportedRows& imported, const DelayTable& table) {
  std::string text = table.device.name + ", imported\n\n";
  for (const ImportedFile& file : imported.files)
    text += fmt::format("{}: {} taken of {}\n", file.name, counted(file.taken, "row"), file.rows);
  text += "\n" + operators_text(table) + "\n";
  return text + notes_text(table.notes);
}

}  // namespace ridge
