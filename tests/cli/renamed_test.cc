#include "cli/renamed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace hedge::cli {
namespace {

using Words = std::vector<const char*>;

constexpr const char* kTable =
    "# a comment\nflag\thedge eval\t--pictures\t--images\nflag\thedge\t--all\t--every\nkey\thedge eval\t--x\t--y\nbroken\n";

TEST(Renamed, names_the_new_flag_of_an_old_one) {
  EXPECT_EQ(renamed_hint("hedge", Words{"eval", "--pictures", "8"}, kTable), "--pictures is now --images\n");
  EXPECT_EQ(renamed_hint("hedge", Words{"eval", "--pictures=8", "--all"}, kTable), "--pictures is now --images\n--all is now --every\n");
  EXPECT_EQ(renamed_hint("hedge", Words{"eval", "report", "--pictures=8"}, kTable), "--pictures is now --images\n")
      << "a positional argument";
}

TEST(Renamed, says_nothing_of_another_command_or_flag) {
  EXPECT_EQ(renamed_hint("hedge", Words{"fit", "--pictures", "8"}, kTable), "");
  EXPECT_EQ(renamed_hint("hedge", Words{"evaluate", "--pictures", "8"}, kTable), "");
  EXPECT_EQ(renamed_hint("hedge", Words{"eval", "--pictures-of", "8", "--x"}, kTable), "");
  EXPECT_EQ(renamed_hint("hedge", Words{}, ""), "");
}

TEST(Renamed, the_table_is_well_formed) {
  std::istringstream lines{std::string(renamed_table())};
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    ++count;
    EXPECT_THAT(line, ::testing::MatchesRegex("(flag\thedge[a-z -]*\t--[a-z-]+\t|key\t[A-Za-z. ]+\t[a-z_.]+\t).+")) << line;
  }
  EXPECT_GT(count, 0U);
}

}  // namespace
}  // namespace hedge::cli
