// What a user reads when there is no CUDA device, no plugin or a broken one. Needs no GPU, and
// hides any that is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kernels/core/error.h"
#include "kernels/open_backend.h"

namespace ridge {
namespace {

using testing::HasSubstr;
using testing::Not;

// An empty folder that RIDGE_PLUGIN_DIR points at while it lives.
class PluginFolder {
 public:
  PluginFolder() {
    std::string text = (std::filesystem::temp_directory_path() / "ridge-plugin-XXXXXX").string();
    path_ = mkdtemp(text.data());
    setenv("RIDGE_PLUGIN_DIR", path_.c_str(), 1);
  }
  ~PluginFolder() {
    unsetenv("RIDGE_PLUGIN_DIR");
    std::filesystem::remove_all(path_);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
  std::filesystem::path plugin() const { return path_ / kCudaPlugin; }

 private:
  std::filesystem::path path_;
};

// Why `gpu` cannot be used.
std::string refusal(const std::string& gpu) {
  std::string notice;
  try {
    open_backend(gpu, &notice);
  } catch (const DeviceMissing& e) {
    return e.what();
  }
  ADD_FAILURE() << gpu << " was opened";
  return "";
}

std::string fallback_notice() {
  std::string notice;
  const auto backend = open_backend("auto", &notice);
  EXPECT_EQ(backend->device().kind, "cpu");
  return notice;
}

TEST(OpenCuda, EmptyPluginFolderIsNamed) {
  const PluginFolder folder;
  EXPECT_THAT(refusal("cuda"), HasSubstr(folder.plugin().parent_path().string()));
  EXPECT_THAT(refusal("cuda"), HasSubstr("has no ridge_cuda.so"));
  EXPECT_THAT(fallback_notice(), HasSubstr("measuring the CPU"));
}

TEST(OpenCuda, FileThatIsNoLibraryIsNamed) {
  const PluginFolder folder;
  std::ofstream(folder.plugin()) << "this is no library, however long it may be: "
                                 << std::string(4096, '.');
  const std::string why = refusal("cuda");
  EXPECT_THAT(why, HasSubstr("the CUDA plugin does not load"));
  EXPECT_THAT(why, HasSubstr(folder.plugin().string()));
  EXPECT_THAT(why, Not(HasSubstr("\n")));
}

TEST(OpenCuda, PluginFolderThatIsAFileIsNamed) {
  const PluginFolder folder;
  std::ofstream(folder.plugin()) << "x";
  setenv("RIDGE_PLUGIN_DIR", folder.plugin().c_str(), 1);
  EXPECT_THAT(refusal("cuda"), HasSubstr("has no ridge_cuda.so"));
}

TEST(OpenCuda, LibraryWithoutTheEntryPointIsNamed) {
  const PluginFolder folder;
  std::filesystem::copy_file(RIDGE_FAKE_NVML, folder.plugin());
  EXPECT_THAT(refusal("cuda"), HasSubstr("lacks ridge_open_cuda_backend"));
}

TEST(OpenCuda, DeviceIsOpenedByNameAndIndex) {
  const PluginFolder folder;
  std::filesystem::copy_file(RIDGE_FAKE_PLUGIN, folder.plugin());
  std::string notice;
  for (const char* gpu : {"auto", "cuda", "cuda:0", "a100", "A100-80GB"})
    EXPECT_EQ(open_backend(gpu, &notice)->device().kind, "cuda") << gpu;
  EXPECT_EQ(notice, "");
  EXPECT_EQ(open_backend("cpu", &notice)->device().kind, "cpu");
  EXPECT_THAT(refusal("cuda:1"), HasSubstr("there is no device 1"));
  EXPECT_THAT(refusal("t4"), HasSubstr("this machine's GPU is NVIDIA A100-SXM4-80GB"));
  EXPECT_THAT(refusal("a100-40gb"), HasSubstr("A100-SXM4-80GB"));
  EXPECT_THROW(open_backend("cuda:x", &notice), BadInput);
}

TEST(OpenCuda, ErrorsKeepTheirTypeAcrossThePlugin) {
  const PluginFolder folder;
  std::filesystem::copy_file(RIDGE_FAKE_PLUGIN, folder.plugin());
  std::string notice;
  const auto backend = open_backend("cuda", &notice);
  EXPECT_THROW(backend->allocate(1), OutOfMemory);
  EXPECT_THROW(backend->synchronize(), DeviceLost);
}

// The plugin that was built, with every device hidden: it loads, and says in one line why there is
// no device.
TEST(OpenCuda, BuiltPluginReportsAMissingDeviceInOneLine) {
  unsetenv("RIDGE_PLUGIN_DIR");
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  const std::string why = refusal("cuda");
  if (why.find("built without CUDA") != std::string::npos) GTEST_SKIP() << why;
  EXPECT_THAT(why, testing::AnyOf(HasSubstr("no NVIDIA driver"), HasSubstr("no CUDA device"),
                                  HasSubstr("the driver is too old")));
  EXPECT_THAT(why, Not(HasSubstr("does not load")));
  EXPECT_THAT(why, Not(HasSubstr("\n")));
  EXPECT_THAT(refusal("cuda:3"), HasSubstr("--gpu cuda:3: "));
  EXPECT_THAT(fallback_notice(), HasSubstr("measuring the CPU"));
}

}  // namespace
}  // namespace ridge
