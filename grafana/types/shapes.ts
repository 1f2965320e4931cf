// The types that Grafana publishes, adapted to JSON: JSON has the values of enums only, and each kind of panel has the
// options and fields of its plugin.
import type { Dashboard, Panel, RowPanel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as piechart from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** An enum's values instead of the enum, all the way down. */
type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer E)[]
      ? Json<E>[]
      : T extends object
        ? { [K in keyof T]: Json<T[K]> }
        : T;

/** What a query to Prometheus is made of; its type is in Grafana's own sources, not in the package. */
interface Query {
  refId: string;
  datasource: { type: 'prometheus'; uid: string };
  editorMode: 'code';
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table';
  instant: boolean;
  range: boolean;
}

type Kind<Name extends string, Options, Custom> = Omit<Json<Panel>, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Name;
  options: Json<Options>;
  targets: Query[];
  fieldConfig: {
    defaults: Omit<NonNullable<Json<Panel>['fieldConfig']>['defaults'], 'custom'> & { custom: Json<Custom> };
    overrides: NonNullable<Json<Panel>['fieldConfig']>['overrides'];
  };
};

type AnyPanel =
  | Kind<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Kind<'stat', stat.Options, Record<string, never>>
  | Kind<'gauge', gauge.Options, Record<string, never>>
  | Kind<'bargauge', bargauge.Options, Record<string, never>>
  | Kind<'piechart', piechart.Options, piechart.FieldConfig>
  | Kind<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Kind<'table', table.Options, table.FieldConfig>
  | (Omit<Json<RowPanel>, 'panels'> & { panels: never[] });

type Annotation = NonNullable<NonNullable<Json<Dashboard>['annotations']>['list']>[number];

/** An annotation that queries Prometheus: the fields its editor writes beside the published ones. */
type Queried = Omit<Annotation, 'target'> & {
  target: { refId: 'Anno'; expr: string; interval: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};

export type Provisioned = Omit<Json<Dashboard>, 'panels' | 'annotations'> & {
  annotations: { list: [Annotation, ...Queried[]] };
  panels: AnyPanel[];
};
