#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

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
    row.erase("selective_query");
    row["upper_bound"] = nullptr;
    row["hybrid"].erase("low");
  }
  report["operating_point"]["accuracy"] = nullptr;
  const std::string dom = open(report);
  expect_ready(dom, 3);
  EXPECT_EQ(count_of(dom, "Selective-query router"), 0U);
  for (const char* id : {"areas", "reliability", "live", "pictures"})
    EXPECT_EQ(dom.find(std::string("<section id=\"") + id + "\""), std::string::npos) << id;
}

TEST_F(ReportInBrowser, draws_a_curve_of_a_single_point) {
  Json report = sample_report();
  report["curve"] = Json::array({report["curve"][10]});
  expect_ready(open(report), 5);
}

/// What the page should count with `covered` images on the device.
struct Expected {
  double coverage = 0;
  double accuracy = 0;
};

Expected count_at(const Json& explorer, std::size_t covered) {
  const std::size_t n = explorer.at("scores").size();
  std::size_t right = 0;
  for (std::size_t i = 0; i < n; ++i) right += explorer.at(i < covered ? "base" : "global")[i] == explorer.at("labels")[i] ? 1U : 0U;
  return {.coverage = static_cast<double>(covered) / static_cast<double>(n),
          .accuracy = static_cast<double>(right) / static_cast<double>(n)};
}

/// The value of a data attribute of the page's root.
std::string attribute(const std::string& dom, const std::string& name) {
  const std::string key = "data-" + name + "=\"";
  const std::size_t at = dom.find(key);
  return at == std::string::npos ? "" : dom.substr(at + key.size(), dom.find('"', at + key.size()) - at - key.size());
}

TEST_F(ReportInBrowser, draws_the_sections_of_a_report_of_several_routers) {
  const std::string dom = open(full_report());
  expect_ready(dom, 5 + 6);  // the explorer's, four of the plan's, risk against coverage
  for (const char* id : {"explorer", "methods", "choice", "paired", "plan", "baselines", "classes", "fusion", "abstaining"})
    EXPECT_EQ(count_of(dom, std::string("<section id=\"") + id + "\""), 1U) << id;
  EXPECT_NE(dom.find("Linear"), std::string::npos) << "a method that the page does not know by name has a line";
  EXPECT_NE(dom.find("hybrid accuracy at least"), std::string::npos) << "the promise";
  EXPECT_EQ(count_of(dom, "role=\"img\" aria-label=\"\""), 0U);
  expect_ready(open(full_report(), "--blink-settings=preferredColorScheme=0"), 5 + 6);
}

TEST_F(ReportInBrowser, the_explorer_counts_what_the_library_counts_at_every_threshold) {
  const Json report = full_report();
  const std::string dom = open(report, "", R"(
    const root = document.documentElement;
    const node = document.getElementById('explorer');
    const slider = document.getElementById('explorer-slider');
    const said = [];
    const note = () => said.push([node.dataset.coverage, node.dataset.accuracy, node.dataset.macs, node.dataset.latency_ms].join(' '));
    note();
    for (const to of ['0', '1', '150', slider.max]) {
      slider.value = to;
      slider.dispatchEvent(new Event('input'));
      note();
    }
    const wanted = document.getElementById('explorer-coverage');
    wanted.value = '50';
    wanted.dispatchEvent(new Event('change'));
    note();
    root.dataset.said = said.join(';');
    root.dataset.moved = document.getElementById('explorer-moved').textContent;
    root.dataset.images = String(node.querySelectorAll('.gallery li').length) + ' ' + node.dataset.shown;
    root.dataset.max = slider.max;
    root.dataset.value = slider.getAttribute('aria-valuetext');
  )");
  expect_ready(dom, 5 + 6);
  const auto& explorer = report.at("explorer");
  std::vector<std::size_t> ends = {0};
  for (std::size_t i = 0; i < 900; ++i)
    if (i == 899 || explorer["scores"][i] != explorer["scores"][i + 1]) ends.push_back(i + 1);
  EXPECT_EQ(attribute(dom, "max"), std::to_string(ends.size() - 1)) << "equal scores go together";
  std::istringstream said(attribute(dom, "said"));
  const std::size_t covered[] = {720, 0, ends[1], ends[150], 900, ends[150]};
  for (const std::size_t k : covered) {
    std::string line;
    ASSERT_TRUE(std::getline(said, line, ';'));
    std::istringstream parts(line);
    double coverage = -1, accuracy = -1, macs = -1, latency_ms = -1;
    parts >> coverage >> accuracy >> macs >> latency_ms;
    const Expected expected = count_at(explorer, k);
    EXPECT_EQ(coverage, expected.coverage) << k;
    EXPECT_EQ(accuracy, expected.accuracy) << k;
    EXPECT_EQ(macs, 431000 + 9800 + (1 - expected.coverage) * 36400000) << k;
    EXPECT_EQ(latency_ms, 200 + (1 - expected.coverage) * 2000) << k;
  }
  EXPECT_NE(attribute(dom, "moved").find("270 images more are sent to the cloud"), std::string::npos) << attribute(dom, "moved");
  EXPECT_NE(attribute(dom, "images").find_first_not_of("0 "), std::string::npos) << "images between the thresholds are shown";
  EXPECT_NE(attribute(dom, "value").find("on the device"), std::string::npos);
}

}  // namespace
}  // namespace hedge::eval
