#include "predictor/tables/routes.h"

#include <algorithm>
#include <utility>

namespace ridge {
namespace {

bool is_calibrated(const DelayTable& table) {
  const auto method = table.provenance.find("method");
  return method == table.provenance.end() ||
         (method->second != "imported" && method->second != kTransferredMethod);
}

}  // namespace

Dtype twin(Dtype dtype) {
  if (dtype == Dtype::kF16) return Dtype::kBf16;
  return dtype == Dtype::kBf16 ? Dtype::kF16 : dtype;
}

bool is_of_framework(const std::string& implementation, const std::string& framework) {
  if (framework.empty() || !implementation.starts_with(framework)) return false;
  const std::string rest = implementation.substr(framework.size());
  return rest.empty() || rest.front() == '-' || rest.front() == '/';
}

Routes::Routes(const std::vector<NamedTable>& tables, std::string framework)
    : framework_(std::move(framework)) {
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const DelayTable& table = tables[t].table;
    std::map<std::pair<std::string, Dtype>, Voices> own;
    for (const Curve& c : table.curves)
      own[{c.op, c.dtype}].push_back(
          {{t, c.implementation}, c.count, is_transferred(table), is_host_timed(table)});
    for (auto& [key, list] : own) {
      if (is_calibrated(table)) {
        std::stable_sort(list.begin(), list.end(),
                         [](const Voice& a, const Voice& b) { return a.samples > b.samples; });
        list.resize(1);
      }
      Voices& all = voices_[key];
      for (Voice& v : list) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const Voice& a) {
          return a.place.implementation == v.place.implementation && a.transferred == v.transferred;
        });
        if (same == all.end())
          all.push_back(std::move(v));
        else if (same->samples < v.samples)
          *same = std::move(v);
      }
    }
  }
}

const Routes::Voices* Routes::voices(const std::string& op, Dtype dtype) const {
  const auto it = voices_.find({op, dtype});
  return it == voices_.end() ? nullptr : &it->second;
}

Routes::Rank Routes::rank(const Voice& v) {
  if (v.host_timed || v.samples < kFewCalls) return Rank::kLittle;
  return v.transferred ? Rank::kTransferred : Rank::kMeasured;
}

Route Routes::chosen(const Call& call, Rank wanted) const {
  enum class Whose { kNamed, kFramework, kAny };
  for (const Whose whose : {Whose::kNamed, Whose::kFramework, Whose::kAny}) {
    for (const Dtype dtype : {call.dtype, twin(call.dtype)}) {
      const Voices* all = voices(call.op, dtype);
      if (!all) continue;
      Route r{.curves = {}, .dtype = dtype, .transferred = false};
      for (const Voice& v : *all) {
        const std::string& name = v.place.implementation;
        const bool asked = whose == Whose::kAny ||
                           (whose == Whose::kFramework && is_of_framework(name, framework_)) ||
                           (whose == Whose::kNamed && !name.empty() && name == call.implementation);
        if (!asked || rank(v) != wanted) continue;
        r.curves.push_back(v.place);
        r.transferred |= v.transferred;
      }
      if (!r.curves.empty()) return r;
    }
  }
  return {.curves = {}, .dtype = call.dtype};
}

Route Routes::of(const Call& call) const {
  Route r;
  for (const Rank rank : {Rank::kMeasured, Rank::kTransferred, Rank::kLittle}) {
    r = chosen(call, rank);
    if (!r.curves.empty()) break;
  }
  return r;
}

}  // namespace ridge
