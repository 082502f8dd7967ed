#include <algorithm>

#include "kernels/collectives/collectives.h"
#include "kernels/core/op_spec.h"

namespace ridge::collectives {
namespace {

// How much of its buffer a device has before and after: the whole, or its part of 1 / gpus.
enum class Share { kWhole, kPart };

struct Kind {
  const char* name;
  const char* table_name;
  const char* doc;
  int rounds;  // of a ring, in each of which a device sends 1 / gpus of the buffer gpus − 1 times
  Share before, after;
  bool reduces;  // adds what arrives to what is there, in one of the rounds
};

constexpr Kind kKinds[] = {
    {"all_reduce", "All_Reduce", "every device gets the sum of all their buffers", 2, Share::kWhole,
     Share::kWhole, true},
    {"all_gather", "All_Gather", "every device gets the parts of all", 1, Share::kPart,
     Share::kWhole, false},
    {"reduce_scatter", "Reduce_Scatter", "every device gets its part of the sum of all buffers", 1,
     Share::kWhole, Share::kPart, true},
    {"alltoall", "All_To_All", "part j of device i becomes part i of device j", 1, Share::kWhole,
     Share::kWhole, false},
};

double part(const Call& call, Share share) {
  const Dims d = dims(call);
  const auto bytes = static_cast<double>(d.bytes);
  return share == Share::kWhole ? bytes : bytes / static_cast<double>(d.gpus);
}

// Of one device. It sends `rounds` · (gpus − 1) / gpus of the buffer (Patarasuk & Yuan, Bandwidth
// optimal all-reduce algorithms, 2009), whatever the implementation does: a switch that adds on
// the way can send less, and then has a delay below 1. A sum takes one addition for each element
// that arrives.
Work work(const Kind& kind, const Call& call) {
  const auto gpus = static_cast<double>(dims(call).gpus);
  const double crossing = part(call, Share::kWhole) * (gpus - 1) / gpus;
  return {.flops = kind.reduces ? crossing / static_cast<double>(bytes_per_element(call.dtype)) : 0,
          .bytes_read = part(call, kind.before),
          .bytes_written = part(call, kind.after),
          .link_bytes = kind.rounds * crossing};
}

std::vector<TensorSpec> buffer(const Call& call, const char* name, Share share) {
  const auto size = static_cast<int64_t>(bytes_per_element(call.dtype));
  const auto bytes = static_cast<int64_t>(part(call, share));
  return {{.name = name, .dtype = call.dtype, .shape = {std::max<int64_t>(1, bytes / size)}}};
}

std::vector<Axis> axes(std::vector<int64_t> gpus) {
  return {
      {.name = "gpus",
       .doc = "devices that take part",
       .min = 2,
       .max = 1 << 16,
       .sweep_low = gpus.front(),
       .sweep_high = gpus.back(),
       .usual = gpus,
       .draw = Draw::kUsual,
       .growth = Growth::kFree},  // the parts shrink
      {.name = "bytes",
       .doc = "the whole buffer",
       .max = int64_t{1} << 40,
       .sweep_low = 1 << 10,
       .sweep_high = 1 << 30,
       .usual = {}},
      {.name = "gpus_per_node",
       .doc = "of them in one machine",
       .max = 1 << 16,
       .sweep_low = 1,
       .sweep_high = 8,
       .usual = {8},
       .draw = Draw::kUsual,
       .growth = Growth::kFree},
  };
}

OpSpec base(const char* name, const char* table_name, const char* doc) {
  OpSpec s;
  s.name = name;
  s.table_name = table_name;
  s.doc = doc;
  s.axes = axes({2, 4, 8, 16});
  s.dtypes = {Dtype::kF32, Dtype::kF16, Dtype::kBf16};
  s.no_launch = "takes several devices, and a backend drives one; its times can be imported";
  s.constraint = [](const Call& c) -> std::string {
    const Dims d = dims(c);
    return d.gpus_per_node <= d.gpus ? ""
                                     : "gpus_per_node=" + std::to_string(d.gpus_per_node) +
                                           " must be at most gpus=" + std::to_string(d.gpus);
  };
  s.adjust = [](Call& c) { c.dims[2] = std::min(c.dims[2], c.dims[0]); };
  s.test_dims = {{2, 2, 1}, {2, 4096, 2}, {3, 12, 3}, {8, 1 << 20, 8}, {16, 1 << 28, 8}};
  return s;
}

OpSpec make(const Kind& kind) {
  OpSpec s = base(kind.name, kind.table_name, kind.doc);
  s.work = [kind](const Call& c) { return work(kind, c); };
  s.inputs = [kind](const Call& c) { return buffer(c, "before", kind.before); };
  s.outputs = [kind](const Call& c) { return buffer(c, "after", kind.after); };
  return s;
}

// One device hands its buffer to another: reads on the one, the link, writes on the other.
OpSpec send_recv() {
  OpSpec s = base("send_recv", "Send_Recv", "device 1 gets the buffer of device 0");
  s.axes = axes({2});
  s.work = [](const Call& c) -> Work {
    const double bytes = part(c, Share::kWhole);
    return {.flops = 0, .bytes_read = bytes, .bytes_written = bytes, .link_bytes = bytes};
  };
  s.inputs = [](const Call& c) { return buffer(c, "sent", Share::kWhole); };
  s.outputs = [](const Call& c) { return buffer(c, "received", Share::kWhole); };
  return s;
}

}  // namespace

std::vector<OpSpec> specs() {
  std::vector<OpSpec> all;
  for (const Kind& kind : kKinds) all.push_back(make(kind));
  all.push_back(send_recv());
  return all;
}

}  // namespace ridge::collectives
