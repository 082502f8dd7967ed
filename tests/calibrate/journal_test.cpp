// A journal outlives whatever happens to the run that writes it: a kill at any byte, a full disk.
#include "calibrate/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/error.h"

namespace ridge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              (std::string("journal_") + info->name() + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~JournalTest() override { fs::remove_all(folder_); }

  std::string content() const { return content(path()); }
  static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }
  fs::path path() const { return folder_ / "measurements.jsonl"; }

  // A file of one run line and `count` measurements.
  void write(int count) const {
    Journal journal(path(), "Fake 9000", false);
    journal.append_run({{"driver", "1"}});
    for (int i = 0; i < count; ++i) journal.append(measured(i));
  }
  static Measurement measured(int i) {
    Measurement m;
    m.call = {"rmsnorm", {i + 1, 64}, Dtype::kF32, "x"};
    m.samples_s = {1e-6 * (i + 1)};
    m.busy = {1};
    return m;
  }

  std::string refusal(bool resume, const std::string& device = "Fake 9000") const {
    try {
      Journal journal(path(), device, resume);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(JournalTest, KeepsWhatWasAppendedInOrder) {
  write(5);
  const Journal again(path(), "Fake 9000", true);
  ASSERT_EQ(again.measurements().size(), 5u);
  for (int i = 0; i < 5; ++i) {
    const Measurement& m = again.measurements()[static_cast<std::size_t>(i)];
    EXPECT_EQ(m.call, measured(i).call);
    EXPECT_EQ(m.samples_s, measured(i).samples_s);
  }
  EXPECT_TRUE(again.notices().empty());
}

TEST_F(JournalTest, EachMeasurementIsOnDiskWhenAppendReturns) {
  Journal journal(path(), "Fake 9000", false);
  journal.append_run({});
  for (int i = 0; i < 3; ++i) {
    journal.append(measured(i));
    const std::string text = content();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), i + 2);
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST_F(JournalTest, AKillAtAnyByteLosesAtMostTheLineInHand) {
  write(3);
  const std::string whole = content();
  std::size_t from = whole.size();
  for (int lines = 0; lines < 3; ++lines) from = whole.rfind('\n', from - 1);
  ++from;  // the last two lines begin here
  ASSERT_GT(whole.size() - from, 300u);
  for (std::size_t cut = from; cut <= whole.size(); ++cut) {
    const std::string left = whole.substr(0, cut);
    put(left);
    const auto lines = static_cast<std::size_t>(std::count(left.begin(), left.end(), '\n'));
    {
      Journal journal(path(), "Fake 9000", true);
      ASSERT_EQ(journal.measurements().size(), lines - 1) << "cut at byte " << cut;
      ASSERT_EQ(journal.notices().empty(), left.back() == '\n') << "cut at byte " << cut;
      journal.append(measured(77));
    }
    const std::string after = content();
    const std::string kept = left.substr(0, left.rfind('\n') + 1);
    ASSERT_EQ(after.substr(0, kept.size()), kept) << "cut at byte " << cut;
    ASSERT_EQ(std::count(after.begin(), after.end(), '\n'), static_cast<long>(lines) + 1);
    const Journal again(path(), "Fake 9000", true);
    ASSERT_EQ(again.measurements().size(), lines);
    ASSERT_EQ(again.measurements().back().call, measured(77).call);
  }
}

TEST_F(JournalTest, AKillInTheFirstLineLeavesAnEmptyRun) {
  write(0);
  const std::string whole = content();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    put(whole.substr(0, cut));
    Journal journal(path(), "Fake 9000", true);
    ASSERT_TRUE(journal.measurements().empty());
    journal.append_run({});
    ASSERT_EQ(content().front(), '{');
  }
}

TEST_F(JournalTest, RefusesAnotherDevicesRun) {
  write(2);
  const std::string before = content();
  EXPECT_THROW(Journal(path(), "Other GPU", true), BadInput);
  EXPECT_THAT(refusal(true, "Other GPU"),
              HasSubstr(":1: measured on Fake 9000, this is Other GPU"));
  EXPECT_EQ(content(), before) << "a refused file was changed";
}

TEST_F(JournalTest, RefusesMeasurementsOfAnUnnamedDevice) {
  write(2);
  const std::string whole = content();
  put(whole.substr(whole.find('\n') + 1));
  EXPECT_THAT(refusal(true), HasSubstr(":1: "));
  for (const char* run : {"{\"run\": 5}", "{\"run\": {}}", "{\"run\": {\"device\": 5}}"}) {
    put(std::string(run) + "\n" + whole);
    EXPECT_THROW(Journal(path(), "Fake 9000", true), BadInput) << run;
    EXPECT_THAT(refusal(true), HasSubstr(":1: ")) << run;
  }
}

TEST_F(JournalTest, NamesTheNumberOfAGarbageLine) {
  write(3);
  const std::string whole = content();
  const std::size_t second = whole.find('\n') + 1, third = whole.find('\n', second) + 1;
  for (const char* garbage : {"not json\n", "\n", "[1, 2]\n", "5\n", "{\"op\": \"rmsnorm\"}\n",
                              "{\"op\": \"unheard-of\"}\n", "\xff\xfe\n", "{}\n"}) {
    put(whole.substr(0, third) + garbage + whole.substr(third));
    const std::string before = content();
    EXPECT_THROW(Journal(path(), "Fake 9000", true), BadInput) << garbage;
    EXPECT_THAT(refusal(true), HasSubstr("measurements.jsonl:3: ")) << garbage;
    EXPECT_EQ(content(), before) << "a refused file was changed";
  }
}

TEST_F(JournalTest, WithoutResumeTheOldRunIsKeptAside) {
  write(3);
  const std::string old = content();
  Journal fresh(path(), "Fake 9000", false);
  EXPECT_TRUE(fresh.measurements().empty());
  ASSERT_EQ(fresh.notices().size(), 1u);
  EXPECT_THAT(fresh.notices()[0], HasSubstr(".previous"));
  EXPECT_EQ(content(path().string() + ".previous"), old);
  EXPECT_EQ(content(), "");
}

TEST_F(JournalTest, SaysSoWhereTheOldRunCannotBeKeptAside) {
  write(1);
  const std::string old = content();
  fs::create_directories(path().string() + ".previous/in/the/way");
  EXPECT_THAT(refusal(false), HasSubstr("measurements.jsonl"));
  EXPECT_EQ(content(), old) << "the new run was mixed into the old one";
}

TEST_F(JournalTest, BelongsToOneRunAtATime) {
  write(2);
  const std::string before = content();
  {
    const Journal first(path(), "Fake 9000", true);
    for (bool resume : {true, false}) EXPECT_THAT(refusal(resume), HasSubstr("another run"));
    EXPECT_EQ(content(), before) << "a refused run changed the file";
  }
  EXPECT_EQ(refusal(true), "") << "the file stayed locked after its run";
}

TEST_F(JournalTest, ResumingWhereNothingIsStartsAnew) {
  Journal journal(folder_ / "a" / "b" / "measurements.jsonl", "Fake 9000", true);
  EXPECT_TRUE(journal.measurements().empty());
  journal.append(measured(1));
}

TEST_F(JournalTest, SaysWhichFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "x";
  try {
    Journal journal(folder_ / "file" / "sub" / "measurements.jsonl", "Fake 9000", false);
    FAIL() << "made a folder below a file";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr((folder_ / "file").string()));
    EXPECT_THAT(e.what(), HasSubstr("Not a directory"));
  }
}

TEST_F(JournalTest, SaysSoWhereTheFileIsAFolder) {
  fs::create_directories(path());
  EXPECT_THAT(refusal(false), HasSubstr("measurements.jsonl"));
  EXPECT_THAT(refusal(true), HasSubstr("measurements.jsonl"));
}

TEST_F(JournalTest, AFullDiskIsSaidWithWhatToDo) {
  fs::create_symlink("/dev/full", path());
  Journal journal(path(), "Fake 9000", false);
  try {
    journal.append(measured(1));
    FAIL() << "a full disk took the line";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("No space left"));
    EXPECT_THAT(e.what(), HasSubstr("--resume"));
    EXPECT_THAT(e.what(), HasSubstr("measurements.jsonl"));
  }
  EXPECT_TRUE(journal.measurements().empty()) << "counted as kept, though it is not on disk";
}

TEST_F(JournalTest, ALineThatTheDiskCutShortIsDroppedOnResume) {
  write(2);
  const std::string before = content();
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  {
    Journal journal(path(), "Fake 9000", true);
    rlimit tight = old;
    tight.rlim_cur = before.size() + 50;  // the disk has room for a part of the next line
    setrlimit(RLIMIT_FSIZE, &tight);
    EXPECT_THROW(journal.append(measured(2)), std::runtime_error);
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_GT(content().size(), before.size()) << "nothing was cut short: the test shows nothing";
  Journal again(path(), "Fake 9000", true);
  EXPECT_EQ(again.measurements().size(), 2u);
  EXPECT_EQ(content(), before);
}

TEST_F(JournalTest, TextThatIsNoUtf8IsStillReadable) {
  {
    Journal journal(path(), "Fake 9000", false);
    journal.append_run({{"driver", "\xff"}});
    Measurement m = measured(0);
    m.detail = "algo \xc3";
    journal.append(m);
  }
  EXPECT_EQ(Journal(path(), "Fake 9000", true).measurements().size(), 1u);
}

}  // namespace
}  // namespace ridge
