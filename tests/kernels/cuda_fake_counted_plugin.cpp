// A plugin whose device computes rmsnorm on the host and takes 100 µs a launch, and writes its
// ranges and single launches to the file that RIDGE_FAKE_LOG names: for what runs under a profiler.
#include <cstdio>
#include <cstdlib>

#include "kernels/open_backend.h"
#include "tests/profilers/fake_backend.h"

namespace {

void log(const std::string& line) {
  const char* path = std::getenv("RIDGE_FAKE_LOG");
  if (!path) return;
  std::FILE* file = std::fopen(path, "a");
  std::fprintf(file, "%s\n", line.c_str());
  std::fclose(file);
}

class CountedBackend final : public ridge::FakeBackend {
 public:
  CountedBackend() {
    info.kind = "cuda";
    info.name = "NVIDIA H200";
    info.compute_capability = "9.0";
    info.notices = {"another process (pid 1234) uses this GPU: times will be disturbed; stop it"};
    default_method = ridge::Method::kGraph;
    on_bind = [](const ridge::Call& call, const ridge::Arguments& a) {
      return std::make_unique<ridge::FakeLaunch>(a, [call, a] {
        log("launch");
        ridge::right_rmsnorm(call, a);
      });
    };
  }
  std::vector<std::string> implementations(const ridge::Call& call,
                                           std::string* why) const override {
    if (call.op == "rmsnorm" && call.dtype == ridge::Dtype::kF32) return {"fake"};
    if (why) *why = "only rmsnorm runs here";
    return {};
  }
  void push_range(const std::string& name) override { log("push " + name); }
  void pop_range() override { log("pop"); }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) ridge::Backend* ridge_open_cuda_backend(
    int, char*, std::size_t) {
  return new CountedBackend;
}
