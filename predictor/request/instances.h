#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/csv.h"

namespace ridge {

// An EC2 instance type: predictor/request/instances.json.
struct Instance {
  std::string name;  // "g5.xlarge"
  std::string gpu;   // as its datasheet is called: "A10G"
  int64_t gpus = 1;
  int64_t host_memory_bytes = 0;
};

// All that are known, in the file's order. Read once; throws BadInput that names file and key.
const std::vector<Instance>& instances();

// By name, in any letter case.
std::optional<Instance> find_instance(std::string_view name);

// What an hour costs: nothing ships, prices are the user's.
struct Prices {
  std::map<std::string, double> instance_usd_per_hour;  // by Instance::name
  std::map<std::string, double> gpu_usd_per_hour;       // of one GPU, by DeviceSpec::name

  // Of a whole instance: its own price, else that of its GPUs.
  std::optional<double> of(const Instance& instance) const;
};

// Columns usd_per_hour and instance or gpu, or both with one of them filled in a row. Throws
// BadInput with file, line and what to do: a missing column, no number or one that is not above 0,
// a name that nobody knows (with those nearest to it), a name that is there twice.
Prices prices_from(const Csv& csv, const std::string& where);

}  // namespace ridge
