#pragma once

#include <string_view>

/// The files of this folder and the plotting library, embedded at build time (cmake/HedgeEmbed.cmake).
namespace hedge::eval::assets {

std::string_view page();             ///< page.html: the template, with {{name}} where a part goes
std::string_view style();            ///< report.css
std::string_view library();          ///< Chart.js
std::string_view dom_script();       ///< dom.js
std::string_view charts_script();    ///< charts.js
std::string_view sections_script();  ///< sections.js
std::string_view judging_script();   ///< judging.js
std::string_view plan_script();      ///< plan.js
std::string_view explorer_script();  ///< explorer.js
std::string_view report_script();    ///< report.js

}  // namespace hedge::eval::assets
