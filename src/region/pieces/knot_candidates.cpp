#include "region/pieces/knot_candidates.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

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

KnotProgram::PieceCost KnotProgram::piece_cost(const Cell& cell, double left, double right) {
  PieceCost cost;
  if (cell.weight == 0) return cost;
  const double length = right - left, t = (cell.x - left) / length, s = 1 - t;
  const double spread = cell.spread / (length * length);
  const double mixed = cell.slope * cell.spread / length;
  cost.uu = cell.weight * (s * s + spread);
  cost.uv = cell.weight * (s * t - spread);
  cost.vv = cell.weight * (t * t + spread);
  cost.bu = cell.weight * (s * cell.y - mixed);
  cost.bv = cell.weight * (t * cell.y + mixed);
  cost.rest = cell.weight * (cell.y * cell.y + cell.slope * cell.slope * cell.spread + cell.rest);
  return cost;
}

/// The beginning with one more piece: the least over u of before(u) + piece(u, v).
KnotProgram::Beginning KnotProgram::extended(const Beginning& before,
                                             const PieceCost& piece) const {
  const double uu = before.bend + piece.uu + least_, bu = before.bend * before.best + piece.bu;
  Beginning next;
  next.bend = piece.vv - piece.uv * piece.uv / uu;
  if (!(next.bend > least_)) next.bend = 0;
  const double linear = piece.bv - bu * piece.uv / uu;
  const double rest =
      before.cost + before.bend * before.best * before.best + piece.rest - bu * bu / uu;
  if (next.bend > 0) next.best = linear / next.bend;
  next.cost = std::max(rest - next.bend * next.best * next.best, 0.0);
  return next;
}

KnotProgram::KnotProgram(const Cells& cells, std::vector<double> candidates, int jumps)
    : knots_(std::move(candidates)), jumps_(jumps) {
  const std::size_t last = knots_.size() - 1;
  std::vector<Cell> between(last);
  std::vector<int> counts(last);
  std::size_t next = 0;
  for (std::size_t k = 0; k < last; ++k) {
    for (; next < cells.size() && (k + 1 == last || cells[next].x < knots_[k + 1]); ++next) {
      between[k] = between[k].joined(cells[next]);
      ++counts[k];
    }
  }
  least_ = 1e-13 * total_weight(cells);
  pieces_.resize(knots_.size());
  for (std::size_t j = 0; j < last; ++j) {
    Cell cell;
    int count = 0;
    for (std::size_t k = j; k < last; ++k) {
      if (between[k].weight > 0) cell = cell.joined(between[k]);
      count += counts[k];
      pieces_[k + 1].push_back(piece_cost(cell, knots_[j], knots_[k + 1]));
      pieces_[k + 1].back().cells = count;
    }
  }
}

void KnotProgram::extend(const Table& before, bool jumping, Table& next) const {
  for (std::size_t k = 1; k < knots_.size(); ++k) {
    for (std::size_t j = 0; j < k; ++j) {
      const PieceCost& piece = pieces_[k][j];
      if (jumping && piece.cells < kCellsAtJump) continue;
      for (std::size_t which = 0; which < kKept; ++which) {
        Beginning beginning = before[j * kKept + which];
        if (!std::isfinite(beginning.cost) || (jumping && !beginning.ends_wide)) continue;
        // After a jump the value is free.
        if (jumping) beginning.bend = beginning.best = 0;
        Beginning trial = extended(beginning, piece);
        trial.knot = static_cast<int>(j);
        trial.kept = static_cast<int>(which);
        trial.jumps = jumping;
        trial.ends_wide = piece.cells >= kCellsAtJump;
        keep(&next[k * kKept], trial);
      }
    }
  }
}

void KnotProgram::add_piece() {
  std::vector<Table> next(static_cast<std::size_t>(jumps_) + 1, Table(knots_.size() * kKept));
  if (tables_.empty()) {
    Table nothing(knots_.size() * kKept);
    nothing.front().cost = 0;
    extend(nothing, false, next.front());
  } else {
    for (std::size_t j = 0; j < next.size(); ++j) {
      extend(tables_.back()[j], false, next[j]);
      if (j > 0) extend(tables_.back()[j - 1], true, next[j]);
    }
  }
  tables_.push_back(std::move(next));
}

/// Inserts a beginning among the best, one per knot before the last.
void KnotProgram::keep(Beginning* kept, const Beginning& trial) {
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

std::vector<KnotPath> KnotProgram::best(int jumps) const {
  std::vector<KnotPath> all;
  for (int which = 0; which < kKept; ++which) {
    KnotPath path;
    int knot = static_cast<int>(knots_.size()) - 1, kept = which, level = jumps;
    for (std::size_t p = tables_.size(); p-- > 0 && knot >= 0;) {
      const Beginning& at = tables_[p][static_cast<std::size_t>(level)]
                                   [static_cast<std::size_t>(knot * kKept + kept)];
      knot = at.knot;
      kept = at.kept;
      level -= at.jumps;
      if (p == 0 || knot < 0) continue;
      path.knots.push_back(knots_[static_cast<std::size_t>(knot)]);
      path.jumps.push_back(at.jumps);
    }
    if (knot < 0) continue;  // fewer candidates than pieces
    std::reverse(path.knots.begin(), path.knots.end());
    std::reverse(path.jumps.begin(), path.jumps.end());
    all.push_back(std::move(path));
  }
  return all;
}

}  // namespace asap::region
