#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "eval/report/html.h"
#include "eval/report_fixture.h"

namespace hedge::eval {
namespace {

namespace fs = std::filesystem;

struct Ran {
  int status = -1;
  std::string output;
};

Ran shell(const std::string& command) {
  Ran ran;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return ran;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) ran.output.append(buffer.data(), n);
  const int raw = pclose(pipe);
  ran.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  return ran;
}

std::string find_browser() {
  const std::string found = shell("command -v chromium || command -v chromium-browser || command -v google-chrome").output;
  return found.substr(0, found.find('\n'));
}

std::size_t count_of(std::string_view text, std::string_view needle) {
  std::size_t found = 0;
  for (std::size_t at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + needle.size())) ++found;
  return found;
}

/// The page as the browser has it after its scripts ran: without the scripts' own text, which also stands in a dump.
class ReportInBrowser : public testing::Test {
 protected:
  void SetUp() override {
    browser_ = find_browser();
    if (browser_.empty()) GTEST_SKIP() << "no Chromium on this machine (Debian: chromium); the page's scripts stay untested";
    std::string pattern = (fs::temp_directory_path() / "hedge-report-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// `script` runs after the page's own.
  std::string open(const Json& report, const std::string& flags = "", const std::string& script = "") {
    auto page = render_html(report);
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message());
    const fs::path file = folder_ / "report.html";
    std::string html = page.ok() ? *std::move(page) : "";
    if (const std::size_t end = html.rfind("</body>"); !script.empty() && end != std::string::npos)
      html.insert(end, "<script>" + script + "</script>");
    EXPECT_TRUE(write_file_atomic(file, html).ok());
    const std::string profile = (folder_ / ("profile" + std::to_string(++opened_))).string();
    const Ran ran = shell("timeout 120 '" + browser_ +
                          "' --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
                          "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1280,1600 --user-data-dir='" +
                          profile + "' --virtual-time-budget=10000 " + flags + " --dump-dom 'file://" + file.string() + "' 2>'" +
                          (folder_ / "log").string() + "'");
    EXPECT_EQ(ran.status, 0) << read_file(folder_ / "log").value().substr(0, 2000);
    return without_scripts(ran.output);
  }

  static std::string without_scripts(const std::string& dom) {
    std::string out;
    for (std::size_t at = 0; at < dom.size();) {
      const std::size_t open = dom.find("<script", at);
      out += dom.substr(at, open == std::string::npos ? open : open - at);
      const std::size_t close = open == std::string::npos ? open : dom.find("</script>", open);
      if (close == std::string::npos) break;
      at = close + 9;
    }
    return out;
  }

  static void expect_ready(const std::string& dom, int charts) {
    const std::string html = dom.substr(0, dom.find("<head>"));
    EXPECT_NE(html.find("data-ready=\"true\""), std::string::npos) << html;
    EXPECT_EQ(html.find("data-error"), std::string::npos) << html;
    EXPECT_NE(html.find("data-charts=\"" + std::to_string(charts) + "\""), std::string::npos) << html;
    EXPECT_EQ(count_of(dom, "<canvas "), static_cast<std::size_t>(charts));
  }

  fs::path folder_;
  std::string browser_;
  int opened_ = 0;
};

TEST_F(ReportInBrowser, draws_every_plot_and_section) {
  const std::string dom = open(sample_report());
  expect_ready(dom, 5);
  for (const char* id : {"figures", "curve", "areas", "promise", "reliability", "live", "pictures", "reading", "provenance"})
    EXPECT_EQ(count_of(dom, std::string("<section id=\"") + id + "\""), 1U) << id;
  EXPECT_EQ(count_of(dom, "<img "), 12U);
  EXPECT_EQ(count_of(dom, "role=\"img\" aria-label=\"\""), 0U) << "every plot says in words what it shows";
  EXPECT_NE(dom.find("<small>91.2 to 92.2</small>"), std::string::npos) << "intervals stand in the table";
}

TEST_F(ReportInBrowser, draws_in_the_dark_theme) { expect_ready(open(sample_report(), "--blink-settings=preferredColorScheme=0"), 5); }

TEST_F(ReportInBrowser, toggles_lines_and_theme_and_prints_without_an_error) {
  const std::string dom = open(sample_report(), "", R"(
    const root = document.documentElement;
    const shown = () => Chart.getChart(document.querySelector('canvas')).getVisibleDatasetCount();
    const counts = [shown()];
    const legend = document.querySelectorAll('figure.plot:first-of-type .legend')[0].querySelectorAll('button');
    legend[1].click();
    counts.push(shown());
    legend[6].click();
    counts.push(shown());
    legend[0].click();
    counts.push(shown());
    document.querySelectorAll('.legend button').forEach((button) => button.click());
    root.dataset.counts = counts.join(' ');
    const themes = [root.dataset.theme];
    for (let i = 0; i < 2; ++i) { document.getElementById('theme').click(); themes.push(root.dataset.theme); }
    document.getElementById('theme').click();
    window.dispatchEvent(new Event('beforeprint'));
    themes.push('print ' + root.dataset.theme);
    window.dispatchEvent(new Event('afterprint'));
    themes.push(root.dataset.theme);
    root.dataset.themes = themes.join(' ');
  )");
  expect_ready(dom, 5);
  const std::string html = dom.substr(0, dom.find("<head>"));
  // At first four lines and the hybrid's band (two edges); then a fifth line; then the bands of five lines; then those of four.
  EXPECT_NE(html.find("data-counts=\"6 7 15 12\""), std::string::npos) << html;
  EXPECT_NE(html.find("data-themes=\" dark light print light dark\""), std::string::npos) << html;
}

TEST_F(ReportInBrowser, shows_hostile_text_as_text) {
  const std::string hostile = "</script><img src=x onerror=\"document.documentElement.dataset.error='hostile'\">";
  Json report = sample_report();
  for (const char* key : {"title", "dataset", "split", "executor", "verdict"}) report[key] = hostile;
  for (Json& name : report["classes"]) name = hostile;
  for (const char* key : {"label", "base", "global", "id"}) report["pictures_queried"][0][key] = hostile;
  for (const char* part : {"base", "global", "router"}) report[part]["name"] = hostile;
  report["areas"][0]["method"] = hostile;
  report["notes"][0] = hostile;
  const std::string dom = open(report);
  expect_ready(dom, 5);
  EXPECT_EQ(count_of(dom, "<img "), 12U);
  EXPECT_NE(dom.find("&lt;/script&gt;&lt;img src=x"), std::string::npos);
}

TEST_F(ReportInBrowser, leaves_out_the_sections_that_an_old_report_lacks) {
  expect_ready(open(Json{{"schema", 1}}), 0);

  Json report = sample_report();
  for (const char* key : {"live", "reliability", "areas", "pictures_queried", "router", "global"}) report.erase(key);
  for (Json& row : report["curve"]) {
    row.erase("poster_router");
    row["upper_bound"] = nullptr;
    row["hybrid"].erase("low");
  }
  report["operating_point"]["accuracy"] = nullptr;
  const std::string dom = open(report);
  expect_ready(dom, 3);
  EXPECT_EQ(count_of(dom, "Poster router"), 0U);
  for (const char* id : {"areas", "reliability", "live", "pictures"})
    EXPECT_EQ(dom.find(std::string("<section id=\"") + id + "\""), std::string::npos) << id;
}

TEST_F(ReportInBrowser, draws_a_curve_of_a_single_point) {
  Json report = sample_report();
  report["curve"] = Json::array({report["curve"][10]});
  expect_ready(open(report), 5);
}

}  // namespace
}  // namespace hedge::eval
