package io.github.logaggregator.benchmarks;

import java.awt.Color;
import java.awt.Font;
import java.awt.Paint;
import java.awt.Rectangle;
import java.text.DecimalFormat;
import java.text.NumberFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.StandardChartTheme;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.labels.ItemLabelAnchor;
import org.jfree.chart.labels.ItemLabelPosition;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.svg.SVGGraphics2D;

/** The ratios as bars, on a logarithmic scale, since they are what can be compared between machines. */
final class RatioChart {
    private static final int WIDTH = 900;
    private static final int HEIGHT_OF_A_BAR = 38;
    private static final int HEIGHT_OF_THE_REST = 110;
    private static final Color REACHED = new Color(0x2a, 0x9d, 0x8f);
    private static final Color NOT_REACHED = new Color(0xe7, 0x6f, 0x51);

    private RatioChart() {}

    static String svg(List<Case> cases) {
        List<Case> shown =
                cases.stream().filter(measured -> measured.ratio() != null).toList();
        int height = HEIGHT_OF_THE_REST + shown.size() * HEIGHT_OF_A_BAR;
        SVGGraphics2D svg = new SVGGraphics2D(WIDTH, height);
        chart(shown).draw(svg, new Rectangle(WIDTH, height));
        return svg.getSVGDocument();
    }

    private static JFreeChart chart(List<Case> shown) {
        DefaultCategoryDataset ratios = new DefaultCategoryDataset();
        shown.forEach(measured -> ratios.addValue(
                Objects.requireNonNull(measured.ratio()),
                "ratio",
                "%s (goal: %s)".formatted(measured.name(), measured.goal())));
        JFreeChart chart = ChartFactory.createBarChart(
                "Ratios to what was measured in the same run (green: goal reached)",
                null,
                null,
                ratios,
                PlotOrientation.HORIZONTAL,
                false,
                false,
                false);
        StandardChartTheme theme = new StandardChartTheme("plain");
        theme.setExtraLargeFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
        theme.setRegularFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        theme.setPlotBackgroundPaint(Color.WHITE);
        theme.setRangeGridlinePaint(Color.LIGHT_GRAY);
        theme.apply(chart);
        CategoryPlot plot = chart.getCategoryPlot();
        LogAxis scale = new LogAxis();
        scale.setSmallestValue(0.1);
        scale.setUpperMargin(0.15);
        scale.setTickUnit(new NumberTickUnit(1)); // a power of ten
        scale.setNumberFormatOverride(NumberFormat.getInstance(Locale.ROOT));
        plot.setRangeAxis(scale);
        plot.addRangeMarker(new ValueMarker(1));
        plot.getDomainAxis().setMaximumCategoryLabelWidthRatio(0.5f);
        plot.getDomainAxis().setMaximumCategoryLabelLines(2);
        plot.setRenderer(renderer(shown));
        return chart;
    }

    private static BarRenderer renderer(List<Case> shown) {
        BarRenderer renderer = new BarRenderer() {
            @Override
            public Paint getItemPaint(int row, int column) {
                return shown.get(column).reached() ? REACHED : NOT_REACHED;
            }
        };
        renderer.setBarPainter(new StandardBarPainter());
        renderer.setShadowVisible(false);
        renderer.setDefaultItemLabelGenerator(new StandardCategoryItemLabelGenerator("{2}", new DecimalFormat("0.00")));
        renderer.setDefaultPositiveItemLabelPosition(
                new ItemLabelPosition(ItemLabelAnchor.OUTSIDE3, TextAnchor.CENTER_LEFT));
        renderer.setDefaultItemLabelsVisible(true);
        return renderer;
    }
}
