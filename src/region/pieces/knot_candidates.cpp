#include "region/pieces/knot_candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace asap::region {
namespace {

constexpr int kKept = 2;  // beginnings per number of pieces and last knot

/// Ends of the cells: for points the points themselves.
std::vector<double> edges(const Cells& cells) {
  std::vector<double> at{cells.front().left};
  for (std::size_t i = 1; i < cells.size(); ++i) at.push_back(cells[i].left);
  at.push_back(cells.back().right);
  at.erase(std::unique(at.begin(), at.end()), at.end());
  return at;
}

/// (integral of |f''|^0.4) of each cell, from differences of the means of groups of cells.
std::vector<double> bending(const Cells& cells) {
  constexpr std::size_t kGroups = 1024;
  const std::size_t per_group = (cells.size() + kGroups - 1) / kGroups;
  Cells groups;
  for (std::size_t i = 0; i < cells.size(); i += per_group) {
    Cell group = cells[i];
    for (std::size_t j = i + 1; j < std::min(i + per_group, cells.size()); ++j)
      group = group.joined(cells[j]);
    groups.push_back(group);
  }
  std::vector<double> result(cells.size());
  double largest = 0;
  for (const Cell& group : groups) largest = std::max(largest, std::abs(group.y));
  for (std::size_t g = 0; g < groups.size() && groups.size() > 2; ++g) {
    const std::size_t at = std::clamp<std::size_t>(g, 1, groups.size() - 2);
    const Cell &a = groups[at - 1], &b = groups[at], &c = groups[at + 1];
    const double part = (b.x - a.x) / (c.x - a.x);
    double deviation = std::abs(a.y + part * (c.y - a.y) - b.y);
    if (deviation <= 4e-16 * largest) deviation = 0;
    const double second = 2 * deviation / ((b.x - a.x) * (c.x - b.x));
    const double length = (c.x - a.x) / 2;
    const std::size_t first = g * per_group, last = std::min(first + per_group, cells.size());
    for (std::size_t i = first; i < last; ++i)
      result[i] = std::pow(second, 0.4) * length / static_cast<double>(last - first);
  }
  return result;
}

/// Cuts [first edge, last edge] into `count` parts of equal mass, within cells linearly.
std::vector<double> equal_parts(const Cells& cells, const std::vector<double>& mass, int count) {
  double total = 0;
  for (const double m : mass) total += m;
  const double low = cells.front().left, high = cells.back().right;
  std::vector<double> cuts{low};
  double before = 0;
  std::size_t i = 0;
  for (int k = 1; k < count; ++k) {
    const double wanted = total * k / count;
    while (i + 1 < cells.size() && before + mass[i] < wanted) before += mass[i++];
    const double end = i + 1 < cells.size() ? cells[i + 1].left : high;
    const double part = mass[i] > 0 ? std::clamp((wanted - before) / mass[i], 0.0, 1.0) : 0;
    const double cut = cells[i].left + part * (end - cells[i].left);
    if (cut > cuts.back() && cut < high) cuts.push_back(cut);
  }
  cuts.push_back(high);
  return cuts;
}

std::vector<double> mixed_mass(const Cells& cells, double even) {
  std::vector<double> mass = bending(cells);
  double total = 0;
  for (const double m : mass) total += m;
  const double length = cells.back().right - cells.front().left;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double end = i + 1 < cells.size() ? cells[i + 1].left : cells.back().right;
    mass[i] = (total > 0 ? (1 - even) * mass[i] / total : 0) +
              0.5 * even * (end - cells[i].left) / length +
              0.5 * even / static_cast<double>(cells.size());
  }
  return mass;
}

/// The cost of a beginning as a function of the value at its last knot: bend (v - best)^2 + cost.
struct Beginning {
  double bend = 0, best = 0, cost = std::numeric_limits<double>::infinity();
  int knot = -1, kept = -1;  // the knot before the last one, and which of its beginnings
};

/// Weighted sum of squares of a piece as a function of its values u and v at the ends:
/// uu u^2 + 2 uv u v + vv v^2 - 2 (bu u + bv v) + rest.
struct PieceCost {
  double uu = 0, uv = 0, vv = 0, bu = 0, bv = 0, rest = 0;
};

PieceCost piece_cost(const Cell& cell, double left, double right) {
  PieceCost cost;
  if (cell.weight == 0) return cost;
  const double length = right - left, t = (cell.x - left) / length, s = 1 - t;
  const double spread = cell.x_x / (length * length), mixed = cell.x_y / length;
  cost.uu = cell.weight * (s * s + spread);
  cost.uv = cell.weight * (s * t - spread);
  cost.vv = cell.weight * (t * t + spread);
  cost.bu = cell.weight * (s * cell.y - mixed);
  cost.bv = cell.weight * (t * cell.y + mixed);
  cost.rest = cell.weight * (cell.y * cell.y + cell.y_y);
  return cost;
}

/// The beginning with one more piece.
Beginning extended(const Beginning& before, const PieceCost& piece, double least) {
  // Least over u of before(u) + piece(u, v).
  const double uu = before.bend + piece.uu + least, bu = before.bend * before.best + piece.bu;
  Beginning next;
  next.bend = std::max(piece.vv - piece.uv * piece.uv / uu, 0.0);
  const double linear = piece.bv - bu * piece.uv / uu;
  const double rest =
      before.cost + before.bend * before.best * before.best + piece.rest - bu * bu / uu;
  next.best = next.bend > least ? linear / next.bend : 0;
  if (next.bend <= least) next.bend = 0;
  next.cost = std::max(rest - next.bend * next.best * next.best, 0.0);
  return next;
}

class Program {
 public:
  Program(const Cells& cells, const std::vector<double>& candidates) : knots_(candidates) {
    const std::size_t last = knots_.size() - 1;
    std::vector<Cell> between(last);
    std::size_t next = 0;
    for (std::size_t k = 0; k < last; ++k)
      for (; next < cells.size() && (k + 1 == last || cells[next].x < knots_[k + 1]); ++next)
        between[k] = between[k].joined(cells[next]);
    least_ = 1e-13 * total_weight(cells);
    pieces_.resize(knots_.size());
    for (std::size_t j = 0; j < last; ++j) {
      Cell cell;
      for (std::size_t k = j; k < last; ++k) {
        if (between[k].weight > 0) cell = cell.joined(between[k]);
        pieces_[k + 1].push_back(piece_cost(cell, knots_[j], knots_[k + 1]));
      }
    }
  }

  void add_piece() {
    const std::size_t count = knots_.size();
    std::vector<Beginning> next(count * kKept);
    for (std::size_t k = 1; k < count; ++k) {
      Beginning* const kept = &next[k * kKept];
      for (std::size_t j = 0; j < k; ++j) {
        for (int b = 0; b < (table_.empty() ? 1 : kKept); ++b) {
          Beginning from;
          if (table_.empty()) {
            if (j > 0) break;
            from.cost = 0;
          } else {
            from = table_.back()[j * kKept + static_cast<std::size_t>(b)];
          }
          if (!(from.cost < std::numeric_limits<double>::infinity())) continue;
          Beginning trial = extended(from, pieces_[k][j], least_);
          trial.knot = static_cast<int>(j);
          trial.kept = b;
          keep(kept, trial);
        }
      }
    }
    table_.push_back(std::move(next));
  }

  /// Inner knots of the best polylines of all pieces so far, best first.
  std::vector<std::vector<double>> best() const {
    std::vector<std::vector<double>> all;
    for (int b = 0; b < kKept; ++b) {
      std::vector<double> inner;
      int k = static_cast<int>(knots_.size()) - 1, kept = b;
      bool complete = true;
      for (std::size_t p = table_.size(); p-- > 0;) {
        const Beginning& at = table_[p][static_cast<std::size_t>(k) * kKept +
                                        static_cast<std::size_t>(kept)];
        if (at.knot < 0) {
          complete = false;
          break;
        }
        k = at.knot;
        kept = at.kept;
        if (p > 0) inner.push_back(knots_[static_cast<std::size_t>(k)]);
      }
      if (!complete) continue;
      std::reverse(inner.begin(), inner.end());
      all.push_back(std::move(inner));
    }
    return all;
  }

 private:
  /// Inserts a beginning among the best, one per knot before the last.
  static void keep(Beginning* kept, const Beginning& trial) {
    if (!(trial.cost < kept[kKept - 1].cost)) return;
    int place = kKept - 1;
    for (int b = 0; b < kKept; ++b) {
      if (kept[b].knot != trial.knot) continue;
      if (kept[b].cost <= trial.cost) return;
      place = b;
      break;
    }
    kept[place] = trial;
    while (place > 0 && kept[place].cost < kept[place - 1].cost) {
      std::swap(kept[place], kept[place - 1]);
      --place;
    }
  }

  const std::vector<double>& knots_;
  double least_ = 0;
  std::vector<std::vector<PieceCost>> pieces_;  // [last knot][knot before it]
  std::vector<std::vector<Beginning>> table_;   // [pieces - 1][knot * kKept + which]
};

}  // namespace

std::vector<double> knot_candidates(const Cells& cells, int most) {
  std::vector<double> at = edges(cells);
  if (static_cast<int>(at.size()) > most) return equal_parts(cells, mixed_mass(cells, 0.6), most);
  if (static_cast<int>(2 * at.size()) > most) return at;
  std::vector<double> all;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (i > 0) all.push_back(0.5 * (at[i - 1] + at[i]));
    all.push_back(at[i]);
  }
  return all;
}

std::vector<double> balanced_knots(const Cells& cells, int pieces) {
  std::vector<double> knots = equal_parts(cells, mixed_mass(cells, 0.02), pieces);
  // Cuts that fell together leave pieces out: the longest ones are halved instead.
  while (static_cast<int>(knots.size()) <= pieces) {
    std::size_t longest = 0;
    for (std::size_t k = 0; k + 1 < knots.size(); ++k)
      if (knots[k + 1] - knots[k] > knots[longest + 1] - knots[longest]) longest = k;
    knots.insert(knots.begin() + static_cast<std::ptrdiff_t>(longest) + 1,
                 0.5 * (knots[longest] + knots[longest + 1]));
  }
  return knots;
}

std::vector<std::vector<std::vector<double>>> programmed_knots(
    const Cells& cells, const std::vector<double>& candidates, int most_pieces) {
  Program program(cells, candidates);
  std::vector<std::vector<std::vector<double>>> all;
  for (int p = 1; p <= most_pieces; ++p) {
    program.add_piece();
    all.push_back(program.best());
  }
  return all;
}

}  // namespace asap::region
