#include <nlohmann/json.hpp>

#include "calibrate/json_text.h"
#include "calibrate/table.h"
#include "calibrate/table_schema.h"
#include "kernels/core/error.h"
#include "kernels/core/json_file.h"
#include "kernels/core/json_schema.h"
#include "roofline/device_specs.h"

namespace ridge {

bool same_device(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto left = find_device(a), right = find_device(b);
  return left && right && left->name == right->name;
}

void save_table(const DelayTable& table, const std::filesystem::path& path) {
  const std::string text = json_text(table_to_json(table));
  // Not-a-number is written as null, which the schema refuses.
  const auto written = nlohmann::json::parse(text);
  if (const std::string wrong = schema_errors(table_schema(), written); !wrong.empty())
    throw std::runtime_error(path.string() +
                             ": not written, the table breaks its schema: " + wrong);
  write_file(path, text);
}

DelayTable load_table(const std::filesystem::path& path, const std::string& device) {
  if (std::filesystem::is_directory(path))
    throw BadInput(path.string() + ": is a folder; give a table file in it");
  nlohmann::json j;
  try {
    j = read_json(path);
  } catch (const nlohmann::json::exception& e) {  // a number beyond double
    throw BadInput(path.string() + ": " + e.what() + "; make the table again with calibrate");
  } catch (const BadInput& e) {
    throw BadInput(std::string(e.what()) + "; give a whole table, as calibrate writes it");
  }
  DelayTable table = table_from_json(j, path.string());
  if (!device.empty() && !same_device(device, table.device.name))
    throw BadInput(path.string() + ": key 'device.name' is '" + table.device.name +
                   "', but a table of '" + device + "' is needed; calibrate on that device");
  return table;
}

}  // namespace ridge
