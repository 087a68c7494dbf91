// Fits of one variable of the kinds that users reported against relu-fit, end to end: each keeps
// its word, measured here at the user's points or against the user's function.
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

struct Points {
  std::vector<double> x, y, weight;
};

template <class Curve>
Points points_of(int count, const Curve& curve) {
  Points points;
  for (int i = 0; i < count; ++i) {
    const auto [x, y] = curve(i);
    points.x.push_back(x);
    points.y.push_back(y);
  }
  return points;
}

std::string csv(const Points& points) {
  std::ostringstream text;
  text.precision(17);
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    text << points.x[i] << "," << points.y[i];
    if (!points.weight.empty()) text << "," << points.weight[i];
    text << "\n";
  }
  return text.str();
}

/// A fit in a folder of its own.
class Fitted {
 public:
  explicit Fitted(const Words& words) { fit(words); }
  Fitted(const Points& points, const Words& words) {
    write_file_atomically(work_ / "p.csv", csv(points));
    fit(Words{"--data", (work_ / "p.csv").string()} + words);
  }

  const Json& operator[](const char* key) const { return summary_.at(key); }
  std::string network() const { return read_file(work_ / "fit" / "network.json"); }

  /// Values of the network, from the command `eval`.
  std::vector<double> at(const std::vector<double>& x) const {
    std::ostringstream list;
    list.precision(17);
    for (std::size_t i = 0; i < x.size(); ++i) list << (i > 0 ? "," : "") << x[i];
    const Outcome eval = run(
        "relu-fit",
        {"eval", "--network", (work_ / "fit/network.json").string(), "--x", list.str(), "--json"});
    CHECK(eval.code == 0);
    return Json::parse(eval.out)["y"].get<std::vector<double>>();
  }

  double mse(const Points& points) const {
    const std::vector<double> y = at(points.x);
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double weight = points.weight.empty() ? 1 : points.weight[i];
      sum += weight * std::pow(y[i] - points.y[i], 2);
      total += weight;
    }
    return sum / total;
  }

  double max_error(const Points& points) const {
    const std::vector<double> y = at(points.x);
    double largest = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
      largest = std::max(largest, std::abs(y[i] - points.y[i]));
    return largest;
  }

 private:
  void fit(const Words& words) {
    const Outcome outcome =
        run("relu-fit",
            Words{"fit"} + words + Words{"--threads", "1", "--out", (work_ / "fit").string()});
    CAPTURE(outcome.error);
    REQUIRE(outcome.code == 0);
    summary_ = read_json(work_ / "fit" / "summary.json");
  }

  Workspace work_;
  Json summary_;
};

Points kink(double at) {
  return points_of(101, [at](int i) {
    return std::pair{i / 10.0, std::max(i / 10.0, 3 * (i / 10.0) - 2 * at)};
  });
}

std::vector<double> floors(const Words& words) {
  const Outcome outcome = run("relu-fit", Words{"floor"} + words + Words{"--json"});
  CHECK(outcome.code == 0);
  std::vector<double> all;
  const Json result = Json::parse(outcome.out);
  for (const Json& row : result["rows"]) all.push_back(row["floor_mse"]);
  return all;
}

}  // namespace

TEST_CASE("a tolerance holds where the function bends most") {
  const auto check = [](const std::string& formula, const std::string& tolerance, auto f,
                        const std::vector<double>& x) {
    const Fitted fit({"--function", formula, "--tolerance", tolerance});
    const std::vector<double> y = fit.at(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(std::abs(y[i] - f(x[i])) <= std::stod(tolerance));
    CHECK(fit["tolerance"]["max_error_bound"] <= std::stod(tolerance));
    CHECK(fit["tolerance"]["fewest_pieces"] >= 2);
  };
  std::vector<double> x;
  for (int i = 0; i <= 400; ++i) x.push_back(std::pow(10, -8 + i / 50.0));
  check(
      "sqrt(x)", "1e-2", [](double v) { return std::sqrt(v); }, x);
  check(
      "log(x+1e-3)", "0.03", [](double v) { return std::log(v + 1e-3); }, x);
  x.clear();
  for (int i = -200; i <= 200; ++i) x.push_back(0.3 + i * 2e-5);
  check(
      "exp(-((x-0.3)/1e-3)^2)", "0.01",
      [](double v) { return std::exp(-std::pow((v - 0.3) / 1e-3, 2)); }, x);
}

TEST_CASE("on points a tolerance holds at the points, rounded and noisy ones too") {
  const Points rounded = points_of(300, [](int i) {
    return std::pair{i / 299.0, std::round(std::sin(6 * i / 299.0) * 1e4) / 1e4};
  });
  const Fitted fit(rounded, {"--tolerance", "0.01"});
  CHECK(fit.max_error(rounded) <= 0.01);
  CHECK(fit["max_error"] <= 0.01);
  const Points noisy = points_of(120, [](int i) {
    return std::pair{i / 10.0, i / 10.0 + (i * 7919 % 101) / 50.0};
  });
  CHECK(Fitted(noisy, {"--tolerance", "1.1"}).max_error(noisy) <= 1.1);
  const Points outlier = points_of(60, [](int i) {
    return std::pair{i * 1.0, i == 31 ? 7.36 : 0.1 * (i % 2)};
  });
  CHECK(Fitted(outlier, {"--tolerance", "0.2"}).max_error(outlier) <= 0.2);
}

TEST_CASE("weights of 1e9 and 1e-9 move the fit to where they are") {
  Points points = points_of(101, [](int i) { return std::pair{i / 100.0, std::sqrt(i / 100.0)}; });
  const Words quick = {"--depth", "2"};
  const Fitted plain(points, quick);
  for (int i = 0; i <= 100; ++i) points.weight.push_back(i > 90 ? 1e9 : 1e-9);
  const Fitted weighted(points, quick);
  CHECK(plain.network() != weighted.network());
  CHECK(weighted.mse(points) < 1e-3 * plain.mse(points));
  CHECK(weighted["mse"].get<double>() == doctest::Approx(weighted.mse(points)).epsilon(1e-3));
  // A common factor changes nothing, and neither does a repeated point of half the weight.
  Points halves;
  for (int i = 0; i <= 100; ++i) {
    for (int copy = 0; copy < 2; ++copy) {
      halves.x.push_back(points.x[i]);
      halves.y.push_back(points.y[i]);
      halves.weight.push_back(points.weight[i] / 2);
    }
  }
  CHECK(Fitted(halves, quick).network() == weighted.network());
}

TEST_CASE("a weight of three is the point three times, in any order of the file") {
  const auto curve = [](int i) { return std::pair{i / 40.0, std::exp(-i / 15.0)}; };
  Points weighted = points_of(80, curve), repeated;
  for (int i = 0; i < 80; ++i) weighted.weight.push_back(i < 40 ? 3 : 1);
  for (int i = 79; i >= 0; --i)
    for (int copy = 0; copy < (i < 40 ? 3 : 1); ++copy) {
      repeated.x.push_back(curve(i).first);
      repeated.y.push_back(curve(i).second);
    }
  const Words quick = {"--depth", "2"};
  const Fitted one(weighted, quick), other(repeated, quick);
  CHECK(one.mse(weighted) == doctest::Approx(other.mse(weighted)).epsilon(1e-6));
  CHECK(one["mse"].get<double>() == doctest::Approx(other["mse"].get<double>()).epsilon(1e-6));
}

TEST_CASE("unevenly spaced points are fitted where they are") {
  const Points decades = points_of(200, [](int i) {
    const double x = std::pow(10, -3 + 9 * i / 199.0);
    return std::pair{x, std::pow(std::log10(x), 2)};
  });
  const Fitted fit(decades, {});
  CHECK(fit.mse(decades) <= 0.005);
  CHECK(fit["mse"].get<double>() == doctest::Approx(fit.mse(decades)).epsilon(1e-6));
  const Points crowded = points_of(150, [](int i) {
    const double x = i < 140 ? i * 1e-4 : i - 139.0;
    return std::pair{x, x < 0.014 ? std::sin(1000 * x) : 0.1 * x};
  });
  CHECK(Fitted(crowded, {"--depth", "3"}).mse(crowded) < 0.02);
  const Points shifted = points_of(60, [](int i) {
    return std::pair{1e9 + i * 3.0, 1e9 + std::abs(i - 20.0)};
  });
  CHECK(Fitted(shifted, {"--depth", "2"}).max_error(shifted) < 1e-5);
}

TEST_CASE("outside the interval the end pieces go on") {
  const auto check = [](const Words& words, double length, const std::vector<double>& ends) {
    const Fitted fit(words);
    // Both ends, one step inside and one length outside: a straight line.
    const double low = ends[0], high = ends[1], step = 1e-6 * length;
    const std::vector<double> y =
        fit.at({low, low + step, low - length, high, high - step, high + length});
    const double first = (y[1] - y[0]) / step, last = (y[3] - y[4]) / step;
    CHECK(y[2] == doctest::Approx(y[0] - first * length).epsilon(1e-5).scale(1));
    CHECK(y[5] == doctest::Approx(y[3] + last * length).epsilon(1e-5).scale(1));
  };
  check({"--function", "x^3", "--depth", "3"}, 1, {0, 1});
  check({"--function", "exp(x)", "--interval", "-1", "2", "--windows", "3", "--depth", "2"}, 3,
        {-1, 2});
  check({"--function", "sqrt(x)", "--keep-shape", "--depth", "2"}, 1, {0, 1});
  check({"--function", "sin(x)", "--interval", "0", "3", "--tolerance", "0.05"}, 3, {0, 3});
}

TEST_CASE("exact lines are found, with as many regions") {
  for (const double at : {3.7, 5.05}) {
    const Points points = kink(at);
    const Fitted fit(points, {});
    CHECK(fit["linear_regions"] == 2);
    CHECK(fit.max_error(points) <= 1e-8);
  }
  const Points tooth = points_of(100, [](int i) {
    return std::pair{i * 1.0, i < 30 ? 2.0 * i : i < 60 ? 120.0 - 2 * i : 0.5 * i - 30};
  });
  const Fitted fit(tooth, {});
  CHECK(fit["linear_regions"] == 3);
  CHECK(fit.max_error(tooth) <= 1e-8);
}

TEST_CASE("--keep-shape accepts convex points with a corner and rounded ones") {
  const auto check = [](const Points& points, const char* shape, double most) {
    const Fitted fit(points, {"--keep-shape"});
    CHECK(fit["shape"][shape] == true);
    CHECK(fit.max_error(points) <= most);
  };
  check(kink(3.7), "convex", 1e-8);
  const auto rounded = [](double sign) {
    return points_of(301, [sign](int i) {
      return std::pair{i / 100.0, sign * std::round(std::exp(i / 100.0) * 1e3) / 1e3};
    });
  };
  check(rounded(1), "convex", 2e-3);
  check(rounded(-1), "concave", 2e-3);
}

TEST_CASE("--keep-shape of level and straight points is one region of every shape they have") {
  const Fitted level(points_of(20,
                               [](int i) {
                                 return std::pair{i * 1.0, 3.5};
                               }),
                     {"--keep-shape"});
  CHECK(level["linear_regions"] == 1);
  for (const char* shape : {"convex", "concave", "increasing", "decreasing"})
    CHECK(level["shape"][shape] == true);
  for (const double slope : {-0.25, 1e6}) {
    const Fitted line(points_of(30,
                                [slope](int i) {
                                  return std::pair{i * 1.0, slope * i};
                                }),
                      {"--keep-shape"});
    CHECK(line["linear_regions"] == 1);
    CHECK(line["shape"][slope > 0 ? "increasing" : "decreasing"] == true);
    CHECK(line["shape"]["convex"] == true);
    CHECK(line["shape"]["concave"] == true);
  }
}

TEST_CASE("the floor is the least, and never larger for more pieces") {
  CHECK(floors({"--function", "sin(20*x)", "--pieces", "7"})[0] <= 6.71e-3);
  for (const char* formula : {"1/(1+exp(-50*(x-0.5)))", "sin(20*x)", "sqrt(x)"}) {
    const std::vector<double> all =
        floors({"--function", formula, "--pieces", "1,2,3,4,5,6,7,8,9,10,11,12"});
    for (std::size_t k = 0; k + 1 < all.size(); ++k) CHECK(all[k + 1] <= all[k]);
  }
  const Workspace work;
  const double y[] = {5,    7,     9,     11,    13,     15,     28.92, 42.81,
                      56.7, 70.59, 84.47, 98.36, 112.25, 126.14, 140.03};
  Points points;
  for (int i = 0; i < 15; ++i) {
    points.x.push_back(i + 1);
    points.y.push_back(y[i]);
  }
  write_file_atomically(work / "p.csv", csv(points));
  CHECK(floors({"--data", (work / "p.csv").string(), "--pieces", "2"})[0] <= 5.07e-5);
}

TEST_CASE("--pieces fits free knots: a number, or one chosen with a table of what was tried") {
  const Points tent = points_of(200, [](int i) {
    const double x = i / 20.0;
    return std::pair{x, (x < 4 ? x : 8 - x) + 0.1 * std::sin(i * i * 1.3)};
  });
  const Fitted automatic(tent, {"--pieces", "auto"});
  CHECK(automatic["linear_regions"] == 2);
  CHECK(automatic["pieces"].size() >= 3);
  for (const Json& row : automatic["pieces"])
    CHECK(row["criterion"] >= automatic["pieces"][1]["criterion"]);
  const Fitted five(tent, {"--pieces", "5"});
  CHECK(five["linear_regions"] == 5);
  CHECK(five.mse(tent) < automatic.mse(tent));
  Points outliers = tent;
  for (std::size_t i = 0; i < 200; i += 11) outliers.y[i] += 30;
  CHECK(Fitted(outliers, {"--pieces", "2", "--loss", "huber"}).mse(tent) < 0.02);
  const Outcome refused =
      run("relu-fit", {"fit", "--function", "x", "--pieces", "some", "--out", "/nowhere/x"});
  CHECK(refused.code == 2);
  CHECK(refused.error.find("--pieces some: a whole number") != std::string::npos);
}
